-- ARGV[3] subject, ARGV[4] the reason's name, ARGV[5] how long an epoch is kept at least. To spare one: ARGV[6] its id,
-- ARGV[7] the closing of its record, ARGV[8] the record under the new epoch, ARGV[9] that epoch.
local subject = ARGV[3]
local epoch = math.max(NOW, epoch_of(subject) + 1)
if ARGV[6] then
  local value = redis.call('GET', key_of('s', ARGV[6]))
  local h = head(value)
  if epoch ~= tonumber(ARGV[9]) or not h or ended(h) or string.sub(value, -24) ~= ARGV[7] then
    return {'again'}
  end
  redis.call('SET', key_of('s', ARGV[6]), ARGV[8], 'PX', whole(ttl_of(h.forget)))
end
raise(key_of('e', subject), epoch, ARGV[4], epoch_ttl(subject, tonumber(ARGV[5])))
tell('s', subject, subject .. risen(epoch, ARGV[4]))
return {'done', told, whole(epoch)}
