/// Whether a file that LMDB has written can be given to LMDB.
///
/// LMDB trusts its files: a wrong byte may end the process. This walks the newest snapshot without
/// LMDB and checks all that it would follow: numbers of pages, places in pages, order of keys,
/// counts, the free list. What keys and values say is for their checksums.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace ebb {

struct lmdb_check_request {
  std::string path;
  std::uint64_t map_bytes = 0;         ///< most that the file may have
  std::uint64_t least_transaction = 0; ///< the newest snapshot is no older
  /// The entry by which a snapshot says which transaction it is.
  std::string_view witness_database;
  std::string_view witness_key;
  /// The transaction that this value names.
  std::function<std::uint64_t(std::string_view value)> transaction_of;
  /// For errors: what the file is, and what to do.
  std::string what = "control database";
  std::string hint = "restore control.mdb from a copy of the data folder";
};

/// ec::corrupt with what is wrong; ec::io. Nobody may write the file meanwhile. Looks at its pages
/// but for what is behind the first one of a large value.
[[nodiscard]] result<void> check_lmdb_file(const lmdb_check_request& request);

} // namespace ebb
