-- ARGV[3] id, ARGV[4] the revision it must have, or nothing, ARGV[5] the reason's number.
local value = redis.call('GET', key_of('s', ARGV[3]))
local h = head(value)
if value and not h and string.byte(value, 2) ~= TOMBSTONE then
  return {'other', value}
end
if not h or ended(h) or h.forget <= NOW then
  return {'already'}
end
if ARGV[4] ~= '' and h.revision ~= ARGV[4] then
  return {'other', value}
end
entomb(h, tonumber(ARGV[5]))
return {'done', told}
