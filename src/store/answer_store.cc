#include "store/answer_store.h"

#include "store/sqlite_stores.h"

namespace hsmsigner::store {

std::optional<AnswerRecord> SqliteAnswerStore::find(const std::string& client_id, const std::string& key_hash,
                                                    UnixTime not_before) {
  std::optional<AnswerRecord> answer = first_of(connections_.read([&](Reader& reader) {
    return reader.answer_by_key({client_id, key_hash});
  }));
  if (answer && answer->created_at < not_before) return std::nullopt;
  return answer;
}

std::size_t SqliteAnswerStore::erase_before(UnixTime time, std::size_t limit, Deadline deadline) {
  std::size_t erased = 0;
  connections_.write(
      [&](Writes& writes) {
        erased = writes.erase_answers({}, {to_number(time), page_numbers(0, limit).front()});
      },
      deadline);
  return erased;
}

}  // namespace hsmsigner::store
