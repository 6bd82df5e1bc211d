-- ARGV[3] the old session's id, ARGV[4] the revision it must have; from ARGV[5] on as for an insert.
local old = redis.call('GET', key_of('s', ARGV[3]))
local h = head(old)
if not old or (h and (ended(h) or h.forget <= NOW)) then
  return {'gone'}
end
if not h or h.revision ~= ARGV[4] then
  return {'other', old}
end
local answer = add(5, ARGV[3])
if answer[1] == 'done' then
  entomb(h, REASON_SUPERSEDED)
  answer[2] = told
end
return answer
