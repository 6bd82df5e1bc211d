-- The concurrent-session limit: `Limit::make_room`, `Limit::yield_to_first_use` and `Limits::judge`, on this side because
-- nobody may come in between. A test holds them to those.

local UNUSED = 300000

local function over(h)
  local age = math.max(NOW - h.created, 0)
  if not h.presented and age >= UNUSED then
    return true
  end
  if age < h.absolute and math.max(NOW - h.seen, 0) < h.idle then
    return false
  end
  return age >= h.remember
end

-- The sessions that share the limit with `mine`, but `leaving`. None are looked at where there are too few to matter.
local function rivals(mine, leaving, max)
  local index = key_of('u', mine.subject)
  redis.call('ZREMRANGEBYSCORE', index, '-inf', whole(NOW))
  local others, used, provisional = {}, {}, {}
  for _, id in ipairs(redis.call('ZRANGE', index, 0, -1)) do
    if id ~= leaving and id ~= mine.id then
      others[#others + 1] = id
    end
  end
  if #others < max then
    return used, provisional
  end
  local epoch = epoch_of(mine.subject)
  for _, id in ipairs(others) do
    local h = head(redis.call('GET', key_of('s', id)))
    if h and h.epoch >= epoch and h.global >= mine.global and not over(h) then
      table.insert(h.presented and used or provisional, h)
    end
  end
  return used, provisional
end

-- By their bytes: texts are compared as the server's language has it.
local function before(one, other)
  for at = 1, #one do
    local a, b = string.byte(one, at), string.byte(other, at)
    if a ~= b then
      return a < b
    end
  end
  return false
end

local function oldest(sessions, count)
  table.sort(sessions, function(a, b)
    if a.created ~= b.created then
      return a.created < b.created
    end
    return before(a.id, b.id)
  end)
  local chosen = {}
  for at = 1, math.min(count, #sessions) do
    chosen[at] = sessions[at]
  end
  return chosen
end

-- Which sessions end so that one more fits; nil if it does not.
local function make_room(mine, leaving, max, refuse)
  local used, provisional = rivals(mine, leaving, max)
  if refuse and #used >= max then
    return nil
  end
  return oldest(provisional, math.max(#used + #provisional + 1 - max, 0))
end

-- Which sessions end because `mine` is used for the first time.
local function yield_to_first_use(mine, max)
  local used = rivals(mine, nil, max)
  return oldest(used, math.max(#used + 1 - max, 0))
end

-- Which ended: their ids.
local function end_each(yielding)
  local ids = {}
  for at, h in ipairs(yielding) do
    entomb(h, REASON_LIMIT)
    ids[at] = h.id
  end
  return ids
end
