// The command types that the runner carries out itself: no program is started, every file is opened below its root.
#pragma once

#include "runner/order.hpp"
#include "runner/roots.hpp"

namespace syncline::runner {

/// {content, size, encoding, truncated}: at most `bytes_max` bytes of a regular file.
[[nodiscard]] Outcome read_file(const Roots& roots, const Order& order, std::size_t bytes_max);
/// {path, bytesWritten}: replaces the file as a whole; makes missing directories. With "encoding": "base64" the content
/// is decoded.
[[nodiscard]] Outcome write_file(const Roots& roots, const Order& order);
/// {entries: [{name, type, size, modified}], truncated}, sorted by name. Times are Unix milliseconds.
[[nodiscard]] Outcome list_directory(const Roots& roots, const Order& order);

}  // namespace syncline::runner
