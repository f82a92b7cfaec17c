# cmake -DINPUT=<file> -DOUTPUT=<file.cc> -DNAME=<identifier> [-DNAMESPACE=<room>] -P embed_text.cmake
# Writes C++ that holds a text of ASCII as hsmsigner::<NAMESPACE, else api>::<NAME>, a std::span of chunks:
# compilers need not take a string literal of any length ([implimits] promises 65,536 octets).
if(NOT NAMESPACE)
  set(NAMESPACE api)
endif()
file(READ "${INPUT}" text)
string(LENGTH "${text}" length)
set(chunks "")
set(begin 0)
while(begin LESS length)
  string(SUBSTRING "${text}" ${begin} 12000 chunk)
  string(APPEND chunks "    R\"text(${chunk})text\",\n")
  math(EXPR begin "${begin} + 12000")
endwhile()
file(WRITE "${OUTPUT}.new" "// Made of a text file by embed_text.cmake.
#include <span>
#include <string_view>

namespace hsmsigner::${NAMESPACE} {

namespace {
constexpr std::string_view kChunks[] = {
${chunks}};
}  // namespace

extern const std::span<const std::string_view> ${NAME};
const std::span<const std::string_view> ${NAME} = kChunks;

}  // namespace hsmsigner::${NAMESPACE}
")
file(RENAME "${OUTPUT}.new" "${OUTPUT}")
