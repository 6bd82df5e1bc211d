-- ARGV[3] subject, or nothing.
local subject = 0
if ARGV[3] ~= '' then
  subject = epoch_of(ARGV[3])
end
local global = epoch_at(PREFIX .. 'g')
return {string.format('%.0f', global), string.format('%.0f', subject)}
