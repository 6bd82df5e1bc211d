-- Ends again what was ended, where the server has forgotten it. ARGV[3] how long an epoch is kept at least; from ARGV[4] on,
-- in fours: what (e, s or a), the id, the subject or the tag, an epoch, a reason's name or number.
for at = 4, #ARGV, 4 do
  local what, id, epoch, reason = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]), ARGV[at + 3]
  if what == 'e' then
    local h = head(redis.call('GET', key_of('s', id)))
    if h then
      entomb(h, tonumber(reason))
    end
  elseif what == 's' then
    if epoch_of(id) < epoch then
      raise(key_of('e', id), epoch, reason, epoch_ttl(id, tonumber(ARGV[3])))
      tell('s', id, id .. risen(epoch, reason))
    end
  elseif epoch_at(global_key(id)) < epoch then
    raise(global_key(id), epoch, reason)
    tell('a', id, risen(epoch, reason))
  end
end
return {'done', told}
