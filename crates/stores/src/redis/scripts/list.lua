-- ARGV[3] subject, ARGV[4] how many to leave out, ARGV[5] how many to give. Newest first, those in use only.
local index = key_of('u', ARGV[3])
local listed = {}
for _, id in ipairs(redis.call('ZRANGE', index, 0, -1)) do
  local value = redis.call('GET', key_of('s', id))
  local h = head(value)
  if h and h.presented and not ended(h) and not over(h) then
    h.value = value
    table.insert(listed, h)
  end
end
local ordered = oldest(listed, #listed)
local answer = {}
local first = #ordered - tonumber(ARGV[4])
for at = first, math.max(first - tonumber(ARGV[5]) + 1, 1), -1 do
  table.insert(answer, ordered[at].value)
end
return answer
