-- ARGV[3] the session's id. What lies there, and why it has ended all the same.
local value = redis.call('GET', key_of('s', ARGV[3]))
if not value then
  return {}
end
local h = head(value)
return {value, h and ended(h) or nil}
