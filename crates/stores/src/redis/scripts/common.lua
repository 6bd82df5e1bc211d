-- What all scripts know: where a record's clear head has what (docs/spec/record-v1.md, and
-- record-v2.md, whose head is the same), keys, epochs, tombstones, telling.
-- KEYS[1] says in which slot of a cluster it runs; ARGV[1] is the prefix of all keys, ARGV[2] the time of the node that
-- asks, in milliseconds.

local PREFIX, NOW = ARGV[1], tonumber(ARGV[2])
local RECORD, TOMBSTONE = 114, 116
-- Of records; of tombstones there is the first alone.
local FIRST_VERSION, LAST_VERSION = 1, 2
local HOUR = 3600000
local REASON_SUPERSEDED, REASON_LIMIT = 2, 7

local function number(text, at)
  return (struct.unpack('>I8', text, at))
end

-- The keys of one tag lie in one slot: what belongs to a session, its subject included, begins with the same byte.
local function tag(id)
  return string.format('{%02x}', string.byte(id, 1))
end

local function key_of(kind, id)
  return PREFIX .. kind .. ':' .. tag(id) .. ':' .. string.sub(id, 2)
end

local function whole(number)
  return string.format('%.0f', number)
end

-- Whether we know how it is written.
local function is_known(value)
  local version = string.byte(value, 1) or 0
  return version >= FIRST_VERSION and version <= LAST_VERSION
end

-- The parts of a record that decide anything; nil for what is not a record of a format we know.
local function head(value)
  if not value or not is_known(value) or string.byte(value, 2) ~= RECORD then
    return nil
  end
  local created, seen, global, epoch, idle, absolute, flags, remember = struct.unpack('>I8I8I8I8I8I8BI8', value, 29)
  local at = 86
  if bit.band(flags, 8) == 0 then
    at, remember = 78, 0
  end
  return {
    id = string.sub(value, 3, 20), revision = string.sub(value, 21, 28),
    created = created, seen = seen, global = global, epoch = epoch,
    idle = idle, absolute = absolute, remember = remember,
    presented = bit.band(flags, 2) ~= 0,
    subject = bit.band(flags, 1) ~= 0 and string.sub(value, at, at + 15) or nil,
    forget = created + math.max(absolute, remember) + HOUR,
  }
end

-- When an entry means nothing any more. What we do not know is kept.
local function forgotten(value)
  if not is_known(value) then
    return false
  end
  if string.byte(value, 2) == TOMBSTONE then
    return number(value, 22) <= NOW
  end
  local h = head(value)
  return h ~= nil and h.forget <= NOW
end

-- An epoch and why it rose last: 'number reason'.
local function epoch_at(key)
  local value = redis.call('GET', key)
  if not value then
    return 0, nil
  end
  local epoch, reason = string.match(value, '^(%d+) ([a-z_]+)$')
  return tonumber(epoch), reason
end

-- A subject's 16 bytes begin with its bucket, as its sessions' ids do.
local function epoch_of(subject)
  return epoch_at(key_of('e', subject))
end

-- The global epoch stands once in every tag.
local function global_key(id)
  return PREFIX .. 'g:' .. tag(id)
end

-- Why a record has ended although it lies there; nil while it has not.
local function ended(h)
  local global, reason = epoch_at(global_key(h.id))
  if h.global < global then
    return reason
  end
  if h.subject then
    local epoch, why = epoch_of(h.subject)
    if h.epoch < epoch then
      return why
    end
  end
  return nil
end

-- The number of the last notice of a tag.
local function count_of(id)
  return redis.call('GET', PREFIX .. 'n:' .. tag(id)) or '0'
end

-- The number of the last notice that this script gave; nothing where it gave none.
local told = ''

-- Tells all nodes, under a number that follows the last one of its tag: whoever missed one knows, and so does whoever talks
-- to a server that has forgotten some. Numbers are times, so that a server that has forgotten does not give one again.
local function tell(kind, id, what)
  local last = tonumber(count_of(id))
  local time = redis.call('TIME')
  local number = math.max(last + 1, time[1] * 1000000 + time[2])
  told = whole(number)
  redis.call('SET', PREFIX .. 'n:' .. tag(id), told)
  redis.call('PUBLISH', PREFIX .. 'rev', string.sub(id, 1, 1) .. struct.pack('>I8I8', last, number) .. kind .. what)
end

-- What other nodes are told when an epoch rises.
local function risen(epoch, reason)
  return struct.pack('>I8', epoch) .. reason
end

-- Keeps a key at least so long.
local function keep(key, ttl)
  if redis.call('PTTL', key) < ttl then
    redis.call('PEXPIRE', key, ttl)
  end
end

local function ttl_of(forget)
  return math.max(forget - NOW, 0) + HOUR
end

-- Puts a tombstone in the place of a record.
local function entomb(h, reason)
  local stone = string.char(FIRST_VERSION, TOMBSTONE) .. h.id .. string.char(reason) .. struct.pack('>I8', h.forget)
  redis.call('SET', key_of('s', h.id), stone, 'PX', whole(ttl_of(h.forget)))
  if h.subject then
    redis.call('ZREM', key_of('u', h.subject), h.id)
  end
  tell('e', h.id, h.id .. string.char(reason))
end

-- Raises an epoch that is kept for `ttl` milliseconds, or for ever.
local function raise(key, epoch, reason, ttl)
  local value = whole(epoch) .. ' ' .. reason
  if ttl then
    redis.call('SET', key, value, 'PX', whole(ttl))
  else
    redis.call('SET', key, value)
  end
end

-- How long a subject's epoch is kept: `least`, or as long as one of their sessions could live.
local function epoch_ttl(subject, least)
  local last = redis.call('ZRANGE', key_of('u', subject), -1, -1, 'WITHSCORES')[2]
  return math.max(least, last and ttl_of(tonumber(last)) or 0)
end
