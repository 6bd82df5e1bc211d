-- ARGV[3] id, ARGV[4] the closing of the record it was made from, ARGV[5] the record as it becomes, ARGV[6] 'touch' where
-- nothing but the last activity moved, ARGV[7] the most sessions where this is the first use of this one, or 0.
local key = key_of('s', ARGV[3])
local value = redis.call('GET', key)
local h = head(value)
local why = h and ended(h)
if why or (h and h.forget <= NOW) then
  return {'gone', why or nil}
end
-- Sent twice, because the first answer was lost: data is sealed anew each time, so that no two writes of it are alike.
if value == ARGV[5] then
  return {'done', count_of(ARGV[3])}
end
if not h or string.sub(value, -24) ~= ARGV[4] then
  return {'other', value}
end
local yielded = {}
local max = tonumber(ARGV[7])
if max > 0 and h.subject then
  yielded = end_each(yield_to_first_use(h, max))
end
redis.call('SET', key, ARGV[5], 'PX', whole(ttl_of(h.forget)))
if ARGV[6] ~= 'touch' then
  tell('c', h.id, h.id)
end
return {'done', told, unpack(yielded)}
