-- ARGV[3] the session's id. Up to which number the server knows, what lies there, and why it has ended all the same.
local value = redis.call('GET', key_of('s', ARGV[3]))
if not value then
  return {count_of(ARGV[3])}
end
local h = head(value)
return {count_of(ARGV[3]), value, h and ended(h) or nil}
