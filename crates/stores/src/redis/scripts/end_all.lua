-- ARGV[3] the reason's name.
local key = PREFIX .. 'g'
local epoch = math.max(NOW, epoch_at(key) + 1)
redis.call('SET', key, string.format('%.0f %s', epoch, ARGV[3]))
tell('a', '')
return {'done', string.format('%.0f', epoch)}
