-- For every change but a first use. KEYS[1] the number of the tag's last notice; ARGV[1] the prefix of all keys, ARGV[2] the
-- time of the node that asks, ARGV[3] the session's key, ARGV[4] that of the global epoch, ARGV[5] that of its subject's,
-- ARGV[6] the closing of the record it was made from, ARGV[7] the record as it becomes, ARGV[8] 'touch' where nothing but
-- the last activity moved. Decides as first_use.lua does, and alone, because this runs for every change.
local call, now, after = redis.call, tonumber(ARGV[2]), ARGV[7]
local there = call('MGET', KEYS[1], ARGV[3], ARGV[4], ARGV[5])
local count, value, global, subject = there[1], there[2], there[3], there[4]
if not value then
  return {'other'}
end
local version, kind = string.byte(value, 1, 2)
if not version or version < 1 or version > 2 or kind ~= 114 then
  return {'other', value}
end
local created, _, under_all, under, _, absolute, flags, remember = struct.unpack('>I8I8I8I8I8I8BI8', value, 29)

-- An epoch is written 'number reason'.
local why
if global and under_all < tonumber(string.match(global, '^%d+')) then
  why = global
elseif subject and bit.band(flags, 1) ~= 0 and under < tonumber(string.match(subject, '^%d+')) then
  why = subject
end
if why then
  return {'gone', string.match(why, '[a-z_]+$')}
end
if bit.band(flags, 8) ~= 0 and remember > absolute then
  absolute = remember
end
-- When it may be forgotten: an hour after nothing could be alive.
local left = created + absolute + 3600000 - now
if left <= 0 then
  return {'gone'}
end
-- Sent twice, because the first answer was lost: data is sealed anew each time, so that no two writes of it are alike.
if value == after then
  return {'done', count or '0'}
end
if string.sub(value, -24) ~= ARGV[6] then
  return {'other', value}
end
call('SET', ARGV[3], after, 'PX', left + 3600000)
if ARGV[8] == 'touch' then
  return {'done', ''}
end
local last, time = tonumber(count or 0), call('TIME')
local number = math.max(last + 1, time[1] * 1000000 + time[2])
local told = string.format('%.0f', number)
call('SET', KEYS[1], told)
call('PUBLISH', ARGV[1] .. 'rev', string.sub(value, 3, 3) .. struct.pack('>I8I8', last, number) .. 'c' .. string.sub(after, 3, 28))
return {'done', told}
