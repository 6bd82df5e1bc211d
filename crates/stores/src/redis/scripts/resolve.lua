-- ARGV[3] the name's hash. The sessions known by it that have not ended.
local answer = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', key_of('x', ARGV[3]), '(' .. ARGV[2], '+inf')) do
  local h = head(redis.call('GET', key_of('s', id)))
  if h and not ended(h) then
    table.insert(answer, id)
  end
end
return answer
