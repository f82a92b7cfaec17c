# One static library per room (docs/ARCHITECTURE.md). A room's headers are reached as "<room>/<header>", through a
# directory of its own in the build tree, so that a room sees only the rooms it links: the include path enforces the
# order of the rooms, and tests/architecture checks it once more.
#
#   hsm_signer_room(<name> SOURCES <file>... [ROOMS <room>...] [LIBRARIES <public>...] [PRIVATE_LIBRARIES <lib>...])
add_library(hsm_signer_warnings INTERFACE)
target_compile_options(hsm_signer_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Wcast-qual -Woverloaded-virtual -Wundef -Werror
  # GCC 12 sees overlapping copies in "literal" + std::string that are not there (GCC bug 105651, mended in 13), and, when
  # it optimises, lengths beyond all memory in the comparison of two vectors of octets.
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict;-Wno-stringop-overread>)

# Log lines name source places: from the root of the tree, wherever it was built.
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)

# GCC sees uninitialised members in <regex> that are not there when it adds AddressSanitizer (GCC bug 105562).
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_FLAGS MATCHES "-fsanitize")
  target_compile_options(hsm_signer_warnings INTERFACE -Wno-maybe-uninitialized)
endif()

option(HSM_SIGNER_HARDENING "Compile with the toolchain's hardening flags" ON)
if(HSM_SIGNER_HARDENING)
  add_compile_options(-fstack-protector-strong)
  add_link_options(-Wl,-z,relro,-z,now)
  add_compile_definitions($<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
endif()
# Executables become position independent (-pie) as well as libraries.
include(CheckPIESupported)
check_pie_supported()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

function(hsm_signer_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;ROOMS;LIBRARIES;PRIVATE_LIBRARIES" ${ARGN})
  add_library(hsm_signer_${name} STATIC ${ROOM_SOURCES})
  set(include_root ${CMAKE_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${include_root})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${include_root}/${name} SYMBOLIC)
  target_include_directories(hsm_signer_${name} PUBLIC ${include_root})
  list(TRANSFORM ROOM_ROOMS PREPEND hsm_signer_)
  target_link_libraries(hsm_signer_${name}
    PUBLIC ${ROOM_ROOMS} ${ROOM_LIBRARIES}
    PRIVATE hsm_signer_warnings ${ROOM_PRIVATE_LIBRARIES})
endfunction()
