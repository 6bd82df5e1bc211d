-- ARGV[3] the name's hash. The ids under it, whatever became of them: those lie elsewhere.
local key = key_of('x', ARGV[3])
return redis.call('ZRANGEBYSCORE', key, '(' .. ARGV[2], '+inf')
