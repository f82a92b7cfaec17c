// A PNG file as pixels, to ask what is on a screenshot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace test_support {

// 0xRRGGBB and how many pixels have it. Eight bits a channel, RGB or RGBA, not interlaced (what Chromium writes);
// throws std::runtime_error for anything else.
std::map<std::uint32_t, std::size_t> colours_of_png(const std::string& file);

}  // namespace test_support
