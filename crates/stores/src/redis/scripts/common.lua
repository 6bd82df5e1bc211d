-- What all scripts know: where a record's clear head has what (docs/spec/record-v1.md), keys, epochs, tombstones.
-- ARGV[1] is the prefix of all keys, ARGV[2] the time of the node that asks, in milliseconds.

local PREFIX, NOW = ARGV[1], tonumber(ARGV[2])
local RECORD, TOMBSTONE, VERSION = 114, 116, 1
local HOUR = 3600000
local REASON_SUPERSEDED, REASON_LIMIT = 2, 7
local NOTICES = 100000

local function number(text, at)
  return (struct.unpack('>I8', text, at))
end

local function tag(id)
  return string.format('{%02x%02x}:', string.byte(id, 1, 2))
end

local function key_of(kind, id)
  return PREFIX .. kind .. ':' .. tag(id) .. string.sub(id, 3)
end

-- The parts of a record that decide anything; nil for what is not a record of the format we know.
local function head(value)
  if not value or string.byte(value, 1) ~= VERSION or string.byte(value, 2) ~= RECORD then
    return nil
  end
  local flags = string.byte(value, 77)
  local at = 78
  local remember = 0
  if bit.band(flags, 8) ~= 0 then
    remember = number(value, at)
    at = at + 8
  end
  local h = {
    id = string.sub(value, 3, 20), revision = string.sub(value, 21, 28),
    created = number(value, 29), seen = number(value, 37),
    global = number(value, 45), epoch = number(value, 53),
    idle = number(value, 61), absolute = number(value, 69), remember = remember,
    presented = bit.band(flags, 2) ~= 0,
  }
  if bit.band(flags, 1) ~= 0 then
    h.subject = string.sub(value, at, at + 15)
  end
  h.forget = h.created + math.max(h.absolute, h.remember) + HOUR
  return h
end

-- When an entry means nothing any more. What we do not know is kept.
local function forgotten(value)
  if string.byte(value, 1) ~= VERSION then
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

-- Why a record has ended although it lies there; nil while it has not.
local function ended(h)
  local global, reason = epoch_at(PREFIX .. 'g')
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

local function tell(kind, what)
  redis.call('XADD', PREFIX .. 'rev', 'MAXLEN', '~', NOTICES, '1-*', kind, what)
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
  local stone = string.char(VERSION, TOMBSTONE) .. h.id .. string.char(reason) .. struct.pack('>I8', h.forget)
  redis.call('SET', key_of('s', h.id), stone, 'PX', string.format('%.0f', ttl_of(h.forget)))
  if h.subject then
    redis.call('ZREM', key_of('u', h.subject), h.id)
  end
end
