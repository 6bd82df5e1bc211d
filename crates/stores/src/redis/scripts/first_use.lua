-- A change by which a session is used for the first time, and counts against the limit. ARGV[3] id, ARGV[4] the closing of
-- the record it was made from, ARGV[5] the record as it becomes, ARGV[6] the most sessions. As commit.lua, but for that.
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
if h.subject then
  yielded = end_each(yield_to_first_use(h, tonumber(ARGV[6])))
end
redis.call('SET', key, ARGV[5], 'PX', whole(ttl_of(h.forget)))
tell('c', h.id, h.id .. string.sub(ARGV[5], 21, 28))
return {'done', told, unpack(yielded)}
