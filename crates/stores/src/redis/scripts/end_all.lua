-- ARGV[3] the reason's name, ARGV[4] the epoch it becomes, or 0 for the next one, from ARGV[5] on a byte for each tag.
local epoch = tonumber(ARGV[4])
if epoch == 0 then
  epoch = NOW
  for at = 5, #ARGV do
    epoch = math.max(epoch, epoch_at(global_key(ARGV[at])) + 1)
  end
end
for at = 5, #ARGV do
  local key = global_key(ARGV[at])
  if epoch_at(key) < epoch then
    raise(key, epoch, ARGV[3])
    tell('a', ARGV[at], risen(epoch, ARGV[3]))
  end
end
return {'done', told, whole(epoch)}
