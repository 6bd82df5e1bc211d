-- What may be tried how often: the rule of core::rules::pace and core::limits::Ledger, by this server's time.
--
-- KEYS[1] is where an account may be known, or a key that never is; the others are budgets, each a number: when all of it will
-- have recovered. Argument 1 is `ask`, `back` or `learn`; 2 how long a place stays known; 3 whether it is known already;
-- 4 how many of the budgets come first that are always charged; then for each budget the time between two, and how many at once.
local what, known_for, familiar, own = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1', tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

if not familiar and what == 'ask' then
  familiar = redis.call('EXISTS', KEYS[1]) == 1
end
local last = familiar and own or #KEYS - 1

-- Whole numbers, without an exponent: in milliseconds they fit a double exactly.
local function written(number)
  return string.format('%.0f', number)
end

local function budget(n)
  local every, at_once = tonumber(ARGV[3 + 2 * n]), tonumber(ARGV[4 + 2 * n])
  local full = now + every * at_once
  local recovered = tonumber(redis.call('GET', KEYS[n + 1]) or '0')
  return every, full, math.min(math.max(recovered, now), full)
end

local function keep(n, recovered)
  if recovered > now then
    redis.call('SET', KEYS[n + 1], written(recovered), 'PX', written(recovered - now))
  else
    redis.call('DEL', KEYS[n + 1])
  end
end

if what ~= 'ask' then
  for n = 1, last do
    local every, _, recovered = budget(n)
    keep(n, recovered - every)
  end
  if what == 'learn' then
    redis.call('SET', KEYS[1], '1', 'PX', written(known_for))
  end
  return {}
end

local charged, refused, longest = {}, 0, 0
for n = 1, last do
  local every, full, recovered = budget(n)
  charged[n] = recovered + every
  if charged[n] - full >= math.max(longest, 1) then
    refused, longest = n, charged[n] - full
  end
end
if refused > 0 then
  return {'refused', refused, written(longest)}
end
local answer = {'granted', familiar and 1 or 0, written(now)}
for n = 1, last do
  keep(n, charged[n])
  answer[n + 3] = written(charged[n])
end
return answer
