#include "tools/cli/process_memory.hpp"

#include "actors/dataflow/chunk_memory.hpp"
#include "schemas/buffer_cache.hpp"

#include <algorithm>
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>

namespace ebb::cli {

namespace {

// Reports without any work after which streams rest.
constexpr std::uint32_t quiet_reports = 3;

std::uint64_t work_done(const run_progress& progress) {
  std::uint64_t sum = 0;
  for (const auto& stream : progress.streams) {
    for (const auto& x : stream.sources)
      sum += x.rows + x.bytes + x.bad_rows;
    for (const auto& x : stream.sinks)
      sum += x.rows + x.bytes;
    if (stream.checkpoints)
      sum += stream.checkpoints->completed + stream.checkpoints->failed;
  }
  return sum;
}

bool has_text_relocations(const dl_phdr_info& object) {
  for (ElfW(Half) i = 0; i < object.dlpi_phnum; ++i) {
    const auto& part = object.dlpi_phdr[i];
    if (part.p_type != PT_DYNAMIC)
      continue;
    // An address computed by the loader.
    const auto* entry =
        reinterpret_cast<const ElfW(Dyn)*>(object.dlpi_addr + part.p_vaddr); // NOLINT
    for (; entry->d_tag != DT_NULL; ++entry)
      if (entry->d_tag == DT_TEXTREL
          || (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL) != 0))
        return true;
  }
  return false;
}

/// Unmaps the pages of a program or library that nobody can have written to: code and constants.
/// They stay in the system's cache of the file, which may drop them when it needs memory, and are
/// mapped again where they are touched.
int let_go_of_code(dl_phdr_info* object, std::size_t, void*) {
  if (has_text_relocations(*object))
    return 0;
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  for (ElfW(Half) i = 0; i < object->dlpi_phnum; ++i) {
    const auto& part = object->dlpi_phdr[i];
    if (part.p_type != PT_LOAD || (part.p_flags & PF_W) != 0)
      continue;
    const auto from = (object->dlpi_addr + part.p_vaddr) / page * page;
    const auto to = (object->dlpi_addr + part.p_vaddr + part.p_memsz + page - 1) / page * page;
    // Not for the part that the kernel brings along (vdso): that refuses, which is as well.
    static_cast<void>(madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED)); // NOLINT
  }
  return 0;
}

} // namespace

void settle_allocator() {
  // Each arena keeps what its threads once freed. Batches come from caches of their own, so few
  // threads meet in one.
  mallopt(M_ARENA_MAX, static_cast<int>(std::max(1U, std::thread::hardware_concurrency() / 2)));
}

void give_code_back() {
  dl_iterate_phdr(let_go_of_code, nullptr);
}

void give_memory_back() {
  give_buffers_back();
  give_chunks_back();
  malloc_trim(0);
  give_code_back();
}

void resting_memory::look(const run_progress& progress) {
  const auto now = work_done(progress);
  if (now != last_) {
    last_ = now;
    quiet_ = 0;
    return;
  }
  if (++quiet_ != quiet_reports)
    return;
  give_memory_back();
}

} // namespace ebb::cli
