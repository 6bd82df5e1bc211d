-- KEYS[1] the number of the tag's last notice; ARGV[1] the prefix of all keys, ARGV[3] the session's key, ARGV[4] that of the
-- global epoch. Up to which number the server knows, what lies there, and why it has ended all the same: as `ended` in
-- common.lua says it, and alone, because this runs for every request.
local count, value, global = unpack(redis.call('MGET', KEYS[1], ARGV[3], ARGV[4]))
count = count or '0'
if not value then
  return {count}
end
local version, kind = string.byte(value, 1, 2)
-- Of a record of the format we know; what else lies there is for the node to judge.
if version < 1 or version > 2 or kind ~= 114 then
  return {count, value}
end

-- Why the epoch written there has ended what was made under the one at this place of the record.
local function risen(epoch, at)
  if epoch then
    local number, reason = string.match(epoch, '^(%d+) ([a-z_]+)$')
    if struct.unpack('>I8', value, at) < tonumber(number) then
      return reason
    end
  end
end

local why = risen(global, 45)
local flags = string.byte(value, 77)
if not why and bit.band(flags, 1) ~= 0 then
  local subject = bit.band(flags, 8) ~= 0 and 86 or 78
  local tag = string.format('e:{%02x}:', string.byte(value, subject))
  why = risen(redis.call('GET', ARGV[1] .. tag .. string.sub(value, subject + 1, subject + 15)), 53)
end
return {count, value, why}
