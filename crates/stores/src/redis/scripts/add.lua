-- Adds a session, if its id is free, its epochs are the current ones, and it fits; `leaving` holds no place.
-- at: where in ARGV it begins: record, most sessions (0 for any number), whether one too many is refused, references.

local function add(at, leaving)
  local value, max, refuse = ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2] == 'refuse'
  local mine = head(value)
  if mine.global ~= epoch_at(PREFIX .. 'g') then
    return {'moved'}
  end
  local key = key_of('s', mine.id)
  local there = redis.call('GET', key)
  if there and not forgotten(there) then
    return {'exists'}
  end
  local yielding = {}
  if mine.subject then
    if mine.epoch ~= epoch_of(mine.subject) then
      return {'moved'}
    end
    if max > 0 then
      yielding = make_room(mine, leaving, max, refuse)
      if not yielding then
        return {'over'}
      end
    end
  end
  local ttl = ttl_of(mine.forget)
  local ends = string.format('%.0f', mine.forget)
  redis.call('SET', key, value, 'PX', string.format('%.0f', ttl))
  if mine.subject then
    local index = key_of('u', mine.subject)
    redis.call('ZADD', index, ends, mine.id)
    keep(index, ttl)
  end
  for reference = at + 3, #ARGV do
    local name = PREFIX .. 'x:' .. ARGV[reference]
    redis.call('ZREMRANGEBYSCORE', name, '-inf', string.format('%.0f', NOW))
    redis.call('ZADD', name, ends, mine.id)
    keep(name, ttl)
  end
  local answer = {'done'}
  end_each(yielding, answer)
  return answer
end
