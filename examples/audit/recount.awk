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
# Bits of a number in hexadecimal.
function bits(hex,   digit) {
  sub(/^0+/, "", hex)
  if (hex == "") return 0
  digit = index("0123456789ABCDEF", toupper(substr(hex, 1, 1))) - 1
  return (length(hex) - 1) * 4 + (digit >= 8 ? 4 : digit >= 4 ? 3 : digit >= 2 ? 2 : 1)
}
# TLS BR 6.3.2, in days.
function limit(issued) {
  if (issued >= "2029-03-15") return 47
  if (issued >= "2027-03-15") return 100
  return issued >= "2026-03-15" ? 200 : 398
}
function month(text) { return substr(text, 1, 4) * 12 + substr(text, 6, 2) }
function has(grants, role) { return index(", " grants, ", " role "=") > 0 }

{ kind = member("kind"); id = member("object"); done = member("outcome") == "done" }
!done { next }
kind == "certificate_issued" || kind == "signing_request_made" || kind == "certificate_imported" {
  if (!(id in key)) { key[id] = member("key"); issued[id] = kind == "certificate_issued"; born[id] = substr(member("time"), 1, 10) }
  not_before[id] = member("not_before"); not_after[id] = member("not_after")
  digest[id] = member("digest"); authority[id] = member("ca") == "true"
  serial[id] = member("serial"); issuer[id] = member("issuer")
}
kind == "certificate_deleted" { delete key[id] }
kind == "account_created" { active[id] = 1; grants[id] = member("grants"); ends[id] = member("expires") }
kind == "account_enabled" { active[id] = 1 }
kind == "account_disabled" { active[id] = 0 }
kind == "access_token_key_made" || kind == "audit_key_made" { service_keys++ }
kind == "access_token_key_destroyed" { service_keys-- }

END {
  now = int(seconds(made_at)); today = int(now / 86400) * 86400; shortest = 0
  for (id in key) {
    size = key[id]; sub(/^not here, /, "", size); sub(/,.*/, "", size)
    strength = size; sub(/.*-/, "", strength)
    here = key[id] !~ /^not here, /
    records++
    if (here) with_key++
    if (key[id] ~ /, not extractable$/) blocked++
    else if (key[id] ~ /, extractable$/) exportable++
    if (key[id] ~ /, imported, /) imported++
    if (not_after[id] == "") { pending++; continue }
    certificates++
    if (authority[id]) authorities++
    if (here) { name = size; sub(/^EC-/, "P-", name); out["algorithms." name]++ } else without_key++
    if (issued[id]) {
      issued_here++
      if (seconds(born[id]) > today - 90 * 86400) out["per_day." born[id]]++
      length_of = bits(serial[id])
      if (issued_here == 1 || length_of < shortest) shortest = length_of
      if (length_of < 64) short++
      if ((issuer[id], serial[id]) in seen) repeated++
      seen[issuer[id], serial[id]] = 1
      if (!authority[id]) {
        end_entities++
        if (seconds(not_after[id]) - seconds(not_before[id]) + 1 > limit(not_before[id]) * 86400) beyond++
      }
    }
    left = seconds(not_after[id]) - now
    if (left < 0) { expired++; continue }
    if (month(not_after[id]) < month(made_at) + 24) out["expiry_per_month." substr(not_after[id], 1, 7)]++
    else later++
    if (size ~ /^RSA-/ && strength + 0 < 2048) weak++
    if (digest[id] == "md5" || digest[id] == "sha1") weak_digest++
    if (left <= 30 * 86400) within_30++
    else if (left <= 60 * 86400) within_60++
    else if (left <= 90 * 86400) within_90++
  }
  for (id in active) {
    accounts++
    if (!active[id] || (ends[id] != "" && seconds(ends[id]) <= now)) continue
    active_accounts++
    g = grants[id]
    if (has(g, "auditor")) grave += has(g, "administrator") + has(g, "issuer") + has(g, "exporter") + has(g, "signer")
    if (has(g, "administrator")) light += has(g, "issuer") + has(g, "exporter")
  }
  out["inventory.certificates"] = certificates; out["inventory.pending"] = pending
  out["inventory.authorities"] = authorities; out["inventory.with_key"] = with_key
  out["inventory.without_key"] = without_key; out["inventory.service_keys"] = service_keys
  out["inventory.non_exportable"] = blocked
  out["KEY-1.keys_non_exportable"] = blocked; out["KEY-1.keys_exportable"] = exportable
  out["KEY-4.records_with_key"] = with_key; out["KEY-6.of_the_service"] = service_keys
  out["KEY-7.weak"] = weak; out["KEY-8.imported"] = imported
  out["CERT-1.issued_here"] = issued_here; out["CERT-1.shortest_bits"] = shortest
  out["CERT-1.below_64_bits"] = short; out["CERT-1.repeated"] = repeated
  out["CERT-2.end_entities"] = end_entities; out["CERT-2.beyond_limit"] = beyond
  out["CERT-3.md5_or_sha1"] = weak_digest; out["CERT-4.expired"] = expired
  out["CERT-4.within_30_days"] = within_30; out["CERT-4.within_31_to_60_days"] = within_60
  out["CERT-4.within_61_to_90_days"] = within_90
  out["ACC-1.active_accounts"] = active_accounts; out["ACC-1.grave_conflicts"] = grave
  out["ACC-1.other_conflicts"] = light; out["ACC-2.accounts"] = accounts
  out["LOG-1.first_event"] = 1; out["LOG-1.last_event"] = NR; out["LOG-2.checkpoints"] = checkpoints
  if (checkpoints > 0) out["LOG-2.events_since"] = NR - covered
  out["LOG-3.covered"] = records; out["LOG-3.without_event"] = 0; out["LOG-3.made_before_journal"] = 0
  out["issuance.issued_here"] = issued_here; out["issuance.shortest_serial_bits"] = shortest
  out["issuance.end_entities"] = end_entities; out["issuance.covered_by_journal"] = records
  out["issuance.made_before_journal"] = 0; out["issuance.expired"] = expired; out["issuance.expiring_later"] = later
  for (name in out) print name, out[name] + 0
}
