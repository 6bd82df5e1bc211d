-- ARGV[3] the name's hash, ARGV[4] the session's id, ARGV[5] when it may be forgotten.
note_name(ARGV[3], ARGV[4], tonumber(ARGV[5]))
return {'done', told}
