#include "report/png.h"

#include <zlib.h>

#include <cstdlib>
#include <stdexcept>
#include <vector>

namespace test_support {
namespace {

std::uint32_t word(const std::string& text, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = at; i < at + 4; ++i) value = value << 8 | static_cast<std::uint8_t>(text.at(i));
  return value;
}

// PNG (Third Edition) 9.4.
std::uint8_t paeth(int a, int b, int c) {
  const int p = a + b - c;
  const int pa = std::abs(p - a), pb = std::abs(p - b), pc = std::abs(p - c);
  return static_cast<std::uint8_t>(pa <= pb && pa <= pc ? a : pb <= pc ? b : c);
}

}  // namespace

std::map<std::uint32_t, std::size_t> colours_of_png(const std::string& file) {
  if (!file.starts_with("\x89PNG\r\n\x1a\n")) throw std::runtime_error("no PNG");
  const std::size_t width = word(file, 16), height = word(file, 20);
  const int depth = file.at(24), type = file.at(25), interlaced = file.at(28);
  if (depth != 8 || (type != 2 && type != 6) || interlaced != 0) throw std::runtime_error("another kind of PNG");
  const std::size_t pixel = type == 6 ? 4 : 3;
  std::string packed;
  for (std::size_t at = 8; at + 12 <= file.size(); at += 12 + word(file, at)) {
    if (file.substr(at + 4, 4) == "IDAT") packed += file.substr(at + 8, word(file, at));
  }
  const std::size_t line = width * pixel;
  std::vector<std::uint8_t> raw((line + 1) * height);
  uLongf size = raw.size();
  if (uncompress(raw.data(), &size, reinterpret_cast<const Bytef*>(packed.data()), packed.size()) != Z_OK ||
      size != raw.size()) {
    throw std::runtime_error("broken PNG");
  }
  std::map<std::uint32_t, std::size_t> colours;
  std::vector<std::uint8_t> before(line), current(line);
  for (std::size_t y = 0; y < height; ++y) {
    const std::uint8_t* const in = &raw[y * (line + 1)];
    for (std::size_t i = 0; i < line; ++i) {
      const int left = i >= pixel ? current[i - pixel] : 0, up = before[i], corner = i >= pixel ? before[i - pixel] : 0;
      int guess = 0;
      switch (in[0]) {
        case 0: break;
        case 1: guess = left; break;
        case 2: guess = up; break;
        case 3: guess = (left + up) / 2; break;
        case 4: guess = paeth(left, up, corner); break;
        default: throw std::runtime_error("unknown PNG filter");
      }
      current[i] = static_cast<std::uint8_t>(in[i + 1] + guess);
    }
    for (std::size_t i = 0; i < line; i += pixel) {
      ++colours[static_cast<std::uint32_t>(current[i] << 16 | current[i + 1] << 8 | current[i + 2])];
    }
    before = current;
  }
  return colours;
}

}  // namespace test_support
