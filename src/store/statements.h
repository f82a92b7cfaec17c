// Statements, prepared once per connection and bound to members, so these objects stay where they are. One thread at a
// time. All throw soci_error; is_constraint_violation() for a broken constraint. Private to the store.
//
// A `Row` is a struct with `static constexpr const char* table` and `static void for_each_column(row, visit)`, which
// calls visit(name, member) for every column, the primary key first.
#pragma once

#include <soci/soci.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "store/columns.h"

namespace hsmsigner::store {

// A statement's parameters: the texts in the order in which the statement names them, then the numbers.
class Parameters {
 public:
  Parameters(std::size_t texts, std::size_t numbers) : texts_(texts), numbers_(numbers) {}

  void bind(soci::statement& statement);
  // As many as there are.
  void assign(const std::vector<std::string>& texts, const std::vector<long long>& numbers);

 private:
  std::vector<std::string> texts_;
  std::vector<long long> numbers_;
};

void prepare(soci::statement& statement, const std::string& text);

// One that gives no rows.
class Command {
 public:
  Command(soci::session& session, const std::string& text, std::size_t texts, std::size_t numbers);
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  // How many rows it changed.
  std::size_t operator()(const std::vector<std::string>& texts, const std::vector<long long>& numbers = {});

 private:
  Parameters parameters_;
  soci::statement statement_;
};

// SELECT of one number.
class SelectNumber {
 public:
  SelectNumber(soci::session& session, const std::string& text, std::size_t texts, std::size_t numbers = 0);
  SelectNumber(const SelectNumber&) = delete;
  SelectNumber& operator=(const SelectNumber&) = delete;

  // The first row's; nothing when there is no row.
  std::optional<long long> operator()(const std::vector<std::string>& texts,
                                      const std::vector<long long>& numbers = {});

 private:
  Parameters parameters_;
  long long number_ = 0;
  soci::statement statement_;
};

// SELECT of one number per row.
class SelectNumbers {
 public:
  SelectNumbers(soci::session& session, const std::string& text, std::size_t texts, std::size_t numbers = 0);
  SelectNumbers(const SelectNumbers&) = delete;
  SelectNumbers& operator=(const SelectNumbers&) = delete;

  std::vector<long long> operator()(const std::vector<std::string>& texts, const std::vector<long long>& numbers = {});

 private:
  Parameters parameters_;
  long long number_ = 0;
  soci::statement statement_;
};

struct BindForUse {
  soci::statement& statement;
  template <class Value>
  void operator()(const char* name, Value& value) const {
    statement.exchange(soci::use(value, name));
  }
  template <class Value>
  void operator()(const char* name, Nullable<Value>& value) const {
    statement.exchange(soci::use(value.value, value.indicator, name));
  }
};

struct BindForRead {
  soci::statement& statement;
  template <class Value>
  void operator()(const char*, Value& value) const {
    statement.exchange(soci::into(value));
  }
  template <class Value>
  void operator()(const char*, Nullable<Value>& value) const {
    statement.exchange(soci::into(value.value, value.indicator));
  }
};

// "id, container_kind, …", every name after `prefix`.
template <class Row>
std::string column_list(const std::string& prefix) {
  std::string list;
  Row row;
  Row::for_each_column(row, [&](const char* name, auto&) { list += (list.empty() ? "" : ", ") + prefix + name; });
  return list;
}

template <class Row>
class InsertRow {
 public:
  explicit InsertRow(soci::session& session) : statement_(session) {
    Row::for_each_column(row_, BindForUse{statement_});
    prepare(statement_, std::string("INSERT INTO ") + Row::table + " (" + column_list<Row>("") + ") VALUES (" +
                            column_list<Row>(":") + ")");
  }
  InsertRow(const InsertRow&) = delete;
  InsertRow& operator=(const InsertRow&) = delete;

  void operator()(const Row& row) {
    row_ = row;
    statement_.execute(true);
    if (statement_.get_affected_rows() != 1) {
      throw Error(ErrorKind::internal_error).with_cause(std::string("a row was not taken by ") + Row::table);
    }
  }

 private:
  Row row_;
  soci::statement statement_;
};

// Every column of the row with the same primary key, which is the first column alone.
template <class Row>
class UpdateRow {
 public:
  explicit UpdateRow(soci::session& session) : statement_(session) {
    std::string key, columns;
    Row::for_each_column(row_, [&](const char* name, auto&) {
      const std::string assignment = std::string(name) + " = :" + name;
      if (key.empty()) {
        key = assignment;
      } else {
        columns += (columns.empty() ? "" : ", ") + assignment;
      }
    });
    Row::for_each_column(row_, BindForUse{statement_});
    prepare(statement_, std::string("UPDATE ") + Row::table + " SET " + columns + " WHERE " + key);
  }
  UpdateRow(const UpdateRow&) = delete;
  UpdateRow& operator=(const UpdateRow&) = delete;

  void operator()(const Row& row) {
    row_ = row;
    statement_.execute(true);
  }

 private:
  Row row_;
  soci::statement statement_;
};

// SELECT of whole rows.
template <class Row>
class SelectRows {
 public:
  // `clauses` follows FROM.
  SelectRows(soci::session& session, const std::string& clauses, std::size_t texts, std::size_t numbers = 0)
      : parameters_(texts, numbers), statement_(session) {
    Row::for_each_column(row_, BindForRead{statement_});
    parameters_.bind(statement_);
    prepare(statement_, "SELECT " + column_list<Row>("") + " FROM " + Row::table + " " + clauses);
  }
  SelectRows(const SelectRows&) = delete;
  SelectRows& operator=(const SelectRows&) = delete;

  std::vector<Row> operator()(const std::vector<std::string>& texts, const std::vector<long long>& numbers = {}) {
    parameters_.assign(texts, numbers);
    std::vector<Row> rows;
    // To the end: a statement that is not done keeps its read transaction open.
    for (bool more = statement_.execute(true); more; more = statement_.fetch()) rows.push_back(row_);
    return rows;
  }

 private:
  Parameters parameters_;
  Row row_;
  soci::statement statement_;
};

// LIMIT and OFFSET, as two numbers.
inline constexpr const char* paged = " LIMIT :limit OFFSET :offset";
std::vector<long long> page_numbers(std::size_t offset, std::size_t limit);

}  // namespace hsmsigner::store
