-- ARGV[3] the id of a session that was made a moment ago, and that nobody was told of: it is as if it had never been.
local key = key_of('s', ARGV[3])
local h = head(redis.call('GET', key))
if h and h.revision == string.rep('\0', 8) then
  redis.call('DEL', key)
  if h.subject then
    redis.call('ZREM', key_of('u', h.subject), h.id)
  end
end
return {'done', told}
