-- ARGV[3] subject, or nothing; then what holds in the first tag, where the global epoch rises first.
local subject = ARGV[3]
if subject == '' then
  return {whole((epoch_at(global_key('\0')))), '0'}
end
return {whole((epoch_at(global_key(subject)))), whole((epoch_of(subject)))}
