-- ARGV[3] subject, ARGV[4] the reason's name, ARGV[5] how long an epoch is kept at least. To spare one: ARGV[6] its id,
-- ARGV[7] the closing of its record, ARGV[8] the record under the new epoch, ARGV[9] that epoch.
local subject = ARGV[3]
local key, index = key_of('e', subject), key_of('u', subject)
local epoch = math.max(NOW, epoch_of(subject) + 1)
if ARGV[6] then
  local value = redis.call('GET', key_of('s', ARGV[6]))
  local h = head(value)
  if epoch ~= tonumber(ARGV[9]) or not h or ended(h) or string.sub(value, -24) ~= ARGV[7] then
    return {'again'}
  end
  redis.call('SET', key_of('s', ARGV[6]), ARGV[8], 'PX', string.format('%.0f', ttl_of(h.forget)))
end
local last = redis.call('ZRANGE', index, -1, -1, 'WITHSCORES')[2]
local ttl = math.max(tonumber(ARGV[5]), last and ttl_of(tonumber(last)) or 0)
redis.call('SET', key, string.format('%.0f %s', epoch, ARGV[4]), 'PX', string.format('%.0f', ttl))
tell('s', subject)
return {'done', string.format('%.0f', epoch)}
