-- Adds a session, if its id is free, its epochs are the current ones, and it fits; `leaving` holds no place.
-- at: where in ARGV it begins: record, most sessions (0 for any number), whether one too many is refused, references.

local function note_name(name, id, forget)
  local key, ttl = key_of('x', name), ttl_of(forget)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', whole(NOW))
  redis.call('ZADD', key, whole(forget), id)
  keep(key, ttl)
end

local function add(at, leaving)
  local value, max, refuse = ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2] == 'refuse'
  local mine = head(value)
  if mine.global < epoch_at(global_key(mine.id)) then
    return {'moved'}
  end
  local key = key_of('s', mine.id)
  local there = redis.call('GET', key)
  if there and not forgotten(there) then
    return {'exists'}
  end
  local yielded = {}
  if mine.subject then
    if mine.epoch ~= epoch_of(mine.subject) then
      return {'moved'}
    end
    if max > 0 then
      local yielding = make_room(mine, leaving, max, refuse)
      if not yielding then
        return {'over'}
      end
      yielded = end_each(yielding)
    end
  end
  local ttl = ttl_of(mine.forget)
  redis.call('SET', key, value, 'PX', whole(ttl))
  if mine.subject then
    local index = key_of('u', mine.subject)
    redis.call('ZADD', index, whole(mine.forget), mine.id)
    keep(index, ttl)
  end
  for reference = at + 3, #ARGV do
    note_name(ARGV[reference], mine.id, mine.forget)
  end
  return {'done', told, unpack(yielded)}
end
