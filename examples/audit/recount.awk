# Counts in the journal's events what the report states of records, keys, issuance and accounts.
# Events are canonical (docs/AUDIT.md), so that a member is found by its text: a quotation mark in a value is \".
function member(name,   at, rest) {
  at = index($0, "\"" name "\":\"")
  if (at == 0) return ""
  rest = substr($0, at + length(name) + 4)
  return match(rest, /^([^"\\]|\\.)*/) ? substr(rest, 1, RLENGTH) : ""
}
# Seconds since 1970-01-01 of YYYY-MM-DDThh:mm:ss.
function seconds(text,   y, m, d, era, yoe, doy) {
  y = substr(text, 1, 4) + 0; m = substr(text, 6, 2) + 0; d = substr(text, 9, 2) + 0
  if (m <= 2) y -= 1
  era = int(y / 400); yoe = y - era * 400
  doy = int((153 * (m + (m > 2 ? -3 : 9)) + 2) / 5) + d - 1
  return (era * 146097 + yoe * 365 + int(yoe / 4) - int(yoe / 100) + doy - 719468) * 86400 \
         + substr(text, 12, 2) * 3600 + substr(text, 15, 2) * 60 + substr(text, 18, 2)
}
{ kind = member("kind"); id = member("object") }
kind == "certificate_issued" || kind == "signing_request_made" || kind == "certificate_imported" {
  if (!(id in key)) { key[id] = member("key"); born[id] = kind; issued[id] = kind == "certificate_issued" }
  not_before[id] = member("not_before"); not_after[id] = member("not_after")
  digest[id] = member("digest"); authority[id] = member("ca") == "true"
}
kind == "certificate_deleted" { delete key[id] }
kind == "account_created" || kind == "account_enabled" { active[id] = 1 }
kind == "account_disabled" { active[id] = 0 }
END {
  now = seconds(made_at)
  for (id in key) {
    certificates++
    if (key[id] != "none") with_key++
    if (key[id] ~ /, not extractable$/) blocked++
    else if (key[id] ~ /, extractable$/) exportable++
    if (key[id] ~ /, imported, /) imported++
    if (issued[id]) issued_here++
    if (not_after[id] == "") { pending++; continue }
    if (issued[id] && !authority[id]) end_entities++
    left = seconds(not_after[id]) - now
    if (left < 0) { expired++; continue }
    if (key[id] ~ /^RSA-(512|1024),/) weak++
    if (digest[id] == "md5" || digest[id] == "sha1") weak_digest++
    if (left < 30 * 86400) within_30++
    else if (left < 60 * 86400) within_60++
    else if (left < 90 * 86400) within_90++
  }
  for (name in active) accounts += active[name]
  print "inventory.certificates", certificates - pending
  print "inventory.pending", pending + 0
  print "inventory.with_key", with_key + 0
  print "KEY-1.keys_non_exportable", blocked + 0
  print "KEY-1.keys_exportable", exportable + 0
  print "KEY-4.records_with_key", with_key + 0
  print "KEY-7.weak", weak + 0
  print "KEY-8.imported", imported + 0
  print "CERT-1.issued_here", issued_here + 0
  print "CERT-2.end_entities", end_entities + 0
  print "CERT-3.md5_or_sha1", weak_digest + 0
  print "CERT-4.expired", expired + 0
  print "CERT-4.within_30_days", within_30 + 0
  print "CERT-4.within_31_to_60_days", within_60 + 0
  print "CERT-4.within_61_to_90_days", within_90 + 0
  print "ACC-1.active_accounts", accounts + 0
  print "LOG-1.last_event", NR
  print "LOG-3.covered", certificates + 0
}
