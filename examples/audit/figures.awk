# The figures that a report in JSON states, a line each: "CONTROL.figure value", "inventory.member value", and the charts'.
function number(text) { sub(/,$/, "", text); return text }
/^  "[a-z_]+": [{[]$/ { split($0, part, "\""); top = part[2] }
/^      "id": / { split($0, part, "\""); control = part[4] }
/^      "figures": \{$/ { in_figures = 1; next }
/^      \}/ { in_figures = 0 }
top == "controls" && in_figures && /^        "/ { split($0, part, "\""); print control "." part[2], number($2) }
/^    "[a-z_0-9]+": [0-9]+,?$/ && (top == "inventory" || top == "issuance") {
  split($0, part, "\""); print top "." part[2], number($2)
}
top == "issuance" && /^    "[a-z_]+": \[$/ { split($0, part, "\""); chart = part[2] }
top == "issuance" && /^        "(day|month|algorithm)": "/ { split($0, part, "\""); row = part[4] }
top == "issuance" && /^        "certificates": / && number($2) > 0 { print chart "." row, number($2) }
