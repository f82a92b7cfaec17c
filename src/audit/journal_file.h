// A journal as a file: JSON Lines. The event lines stand there octet for octet, so that `openssl dgst` can follow the
// chain; between them {"checkpoint":"<jws>"}, behind the event that it covers up to; before all
// {"audit_key":"<kid>","public_key":"<PEM>"}.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string>

#include "audit/journal_source.h"

namespace hsmsigner::audit {

// The item's line, with its line feed.
std::string journal_file_line(const JournalItem& item);

// Reads such a file. What is neither a key nor a checkpoint as this program writes them is taken for an event, which
// the verifier then finds not to be one.
class JournalFileSource : public JournalSource {
 public:
  // `in` outlives this object; `name` is for place().
  JournalFileSource(std::istream& in, std::string name);

  // Throws Error{invalid_object} when the stream fails.
  std::optional<JournalItem> next() override;
  std::string place() const override { return "line " + std::to_string(line_) + " of " + name_; }
  bool is_whole() const override { return false; }

 private:
  std::istream& in_;
  std::string name_;
  std::uint64_t line_ = 0;
  std::unique_ptr<char[]> buffer_;
};

}  // namespace hsmsigner::audit
