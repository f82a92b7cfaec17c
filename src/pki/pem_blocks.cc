#include "pki/pem_blocks.h"

#include "base/base64.h"

namespace hsmsigner::pki {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// The next line of `rest`, without its end, which is taken off `rest`.
std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
  return line;
}

// The label of a boundary line, or nothing.
std::optional<std::string_view> label_of(std::string_view line, std::string_view prefix) {
  if (!line.starts_with(prefix) || !line.ends_with(kDashes) || line.size() < prefix.size() + kDashes.size()) {
    return std::nullopt;
  }
  line.remove_prefix(prefix.size());
  line.remove_suffix(kDashes.size());
  return line;
}

// RFC 1421 4.4: headers end with an empty line. Base64 has no colon.
PemBlock make_block(std::string_view label, std::string_view inside) {
  std::string_view rest = inside;
  if (take_line(rest).find(':') == std::string_view::npos) return {label, {}, inside};
  while (!rest.empty()) {
    if (take_line(rest).empty()) break;
  }
  return {label, inside.substr(0, inside.size() - rest.size()), rest};
}

}  // namespace

bool looks_like_pem(std::string_view text) noexcept {
  while (!text.empty()) {
    if (label_of(take_line(text), kBegin)) return true;
  }
  return false;
}

std::optional<std::vector<PemBlock>> split_pem(std::string_view text) {
  std::vector<PemBlock> blocks;
  std::string_view label;
  const char* inside = nullptr;
  while (!text.empty()) {
    const char* begin_of_line = text.data();
    const std::string_view line = take_line(text);
    if (inside == nullptr) {
      if (const auto begun = label_of(line, kBegin)) {
        label = *begun;
        inside = text.data();
      }
    } else if (const auto ended = label_of(line, kEnd)) {
      if (*ended != label) return std::nullopt;
      blocks.push_back(make_block(label, {inside, static_cast<std::size_t>(begin_of_line - inside)}));
      inside = nullptr;
    } else if (line.starts_with(kBegin)) {
      return std::nullopt;
    }
  }
  if (inside != nullptr) return std::nullopt;
  return blocks;
}

std::string_view pem_header(const PemBlock& block, std::string_view name) noexcept {
  std::string_view rest = block.headers;
  while (!rest.empty()) {
    const std::string_view line = take_line(rest);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && line.substr(0, colon) == name) return trim(line.substr(colon + 1));
  }
  return {};
}

bool is_private_key_label(std::string_view label) noexcept { return label.ends_with("PRIVATE KEY"); }

bool is_certificate_label(std::string_view label) noexcept {
  return label == "CERTIFICATE" || label == "X509 CERTIFICATE" || label == "X.509 CERTIFICATE";
}

bool is_request_label(std::string_view label) noexcept {
  return label == "CERTIFICATE REQUEST" || label == "NEW CERTIFICATE REQUEST";
}

std::string to_pem(std::string_view label, ByteView der) {
  static constexpr std::size_t kLine = 64;
  const std::string base64 = to_base64(der);
  std::string pem = std::string(kBegin) + std::string(label) + std::string(kDashes) + "\n";
  pem.reserve(base64.size() + base64.size() / kLine + 2 * pem.size() + 8);
  for (std::size_t at = 0; at < base64.size(); at += kLine) {
    pem.append(base64, at, kLine);
    pem += '\n';
  }
  pem += kEnd;
  pem += label;
  pem += kDashes;
  return pem += '\n';
}

}  // namespace hsmsigner::pki
