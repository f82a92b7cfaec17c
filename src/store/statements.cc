#include "store/statements.h"

#include <algorithm>
#include <limits>

namespace hsmsigner::store {

void Parameters::bind(soci::statement& statement) {
  // By position: by name SQLite would look through all names for each of them.
  for (std::string& text : texts_) statement.exchange(soci::use(text));
  for (long long& number : numbers_) statement.exchange(soci::use(number));
}

void Parameters::assign(const std::vector<std::string>& texts, const std::vector<long long>& numbers) {
  if (texts.size() != texts_.size() || numbers.size() != numbers_.size()) {
    throw Error(ErrorKind::internal_error).with_cause("a statement was given another number of values than it has");
  }
  // Element by element: what is bound is where they are.
  std::copy(texts.begin(), texts.end(), texts_.begin());
  std::copy(numbers.begin(), numbers.end(), numbers_.begin());
}

void prepare(soci::statement& statement, const std::string& text) {
  statement.alloc();
  statement.prepare(text);
  statement.define_and_bind();
}

Command::Command(soci::session& session, const std::string& text, std::size_t texts, std::size_t numbers)
    : parameters_(texts, numbers), statement_(session) {
  parameters_.bind(statement_);
  prepare(statement_, text);
}

std::size_t Command::operator()(const std::vector<std::string>& texts, const std::vector<long long>& numbers) {
  parameters_.assign(texts, numbers);
  statement_.execute(true);
  return static_cast<std::size_t>(std::max(statement_.get_affected_rows(), 0LL));
}

SelectNumber::SelectNumber(soci::session& session, const std::string& text, std::size_t texts, std::size_t numbers)
    : parameters_(texts, numbers), statement_(session) {
  statement_.exchange(soci::into(number_));
  parameters_.bind(statement_);
  prepare(statement_, text);
}

std::optional<long long> SelectNumber::operator()(const std::vector<std::string>& texts,
                                                  const std::vector<long long>& numbers) {
  parameters_.assign(texts, numbers);
  if (!statement_.execute(true)) return std::nullopt;
  const long long number = number_;
  while (statement_.fetch()) {
    // To the end: a statement that is not done keeps its read transaction open.
  }
  return number;
}

SelectNumbers::SelectNumbers(soci::session& session, const std::string& text, std::size_t texts, std::size_t numbers)
    : parameters_(texts, numbers), statement_(session) {
  statement_.exchange(soci::into(number_));
  parameters_.bind(statement_);
  prepare(statement_, text);
}

std::vector<long long> SelectNumbers::operator()(const std::vector<std::string>& texts,
                                                 const std::vector<long long>& numbers) {
  parameters_.assign(texts, numbers);
  std::vector<long long> all;
  for (bool more = statement_.execute(true); more; more = statement_.fetch()) all.push_back(number_);
  return all;
}

std::vector<long long> page_numbers(std::size_t offset, std::size_t limit) {
  constexpr std::size_t largest = std::numeric_limits<long long>::max();
  return {static_cast<long long>(std::min(limit, largest)), static_cast<long long>(std::min(offset, largest))};
}

}  // namespace hsmsigner::store
