-- KEYS[1] is where it is noted in which format sessions are written; ARGV[1] what must stand there, ARGV[2] what it becomes.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2])
return 1
