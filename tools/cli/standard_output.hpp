/// Standard output of a command, from its first to its last byte.
#pragma once

namespace ebb::cli {

/// Before anything is opened: a standard file that is closed would else be the next one that is,
/// and get what is printed.
void fill_standard_files();

/// The exit code of a command that has ended with `code`: what it has printed is part of what it
/// did. A reader that has gone away wants no more.
[[nodiscard]] int with_output_flushed(int code);

} // namespace ebb::cli
