# The figures that a report in JSON states, a line each: "CONTROL.figure value", "inventory.member value".
/^  "[a-z_]+": \{$/ { split($0, part, "\""); top = part[2] }
/^      "id": / { split($0, part, "\""); control = part[4] }
/^      "figures": \{$/ { in_figures = 1; next }
/^      \}/ { in_figures = 0 }
in_figures && /^        "/ { split($0, part, "\""); value = $2; sub(/,$/, "", value); print control "." part[2], value }
top == "inventory" && /^    "[a-z_0-9]+": [0-9]+,?$/ {
  split($0, part, "\""); value = $2; sub(/,$/, "", value); print "inventory." part[2], value
}
