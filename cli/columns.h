// Text laid out for people: rows as columns, and lines that are not too long.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tenkai {

// As wide as their widest cell, two blanks between, a line each.
std::string columns(const std::vector<std::vector<std::string>>& rows);

// The words of `text` in lines of at most `width` that leave `margin` free on their left; the
// first one goes on behind what stands there.
std::string filled(std::string_view text, std::size_t margin = 0, std::size_t width = 80);

}  // namespace tenkai
