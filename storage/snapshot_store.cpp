#include "storage/snapshot_store.hpp"

#include "storage/files.hpp"

#include <utility>

namespace ebb {

namespace {

class folder_snapshots final : public snapshot_store {
public:
  folder_snapshots(std::string segments, std::string output)
      : segments_(std::move(segments)), output_(std::move(output)) {}

  const std::string& folder(stored_area area) const override {
    return area == stored_area::segments ? segments_ : output_;
  }

  void begin(std::uint64_t) override {}

  result<void> keep(stored_area, const std::string&, const std::function<bool()>&) override {
    return {};
  }

  result<std::unique_ptr<segment_reader>> open(const segment_expectation& expected) override {
    return segment_reader::open(segments_ + '/' + expected.info.id, expected);
  }

  result<void> bring(const std::string&, std::uint64_t, const digest128&) override {
    return {};
  }

  // Sinks do it, since a process that does not know that its run is over may still write there.
  result<void> sweep_output(const std::vector<std::string>&) override {
    return {};
  }

  result<std::vector<std::string>> list(stored_area area) override {
    return list_files(folder(area));
  }

  result<void> remove(stored_area area, const std::string& name) override {
    return remove_file(folder(area) + '/' + name);
  }

private:
  const std::string segments_;
  const std::string output_;
};

} // namespace

result<std::unique_ptr<snapshot_store>> make_folder_snapshots(const std::string& folder) {
  auto segments = folder + '/' + to_string(stored_area::segments);
  auto output = folder + '/' + to_string(stored_area::output);
  EBB_TRY(make_folder(segments));
  EBB_TRY(make_folder(output));
  return std::unique_ptr<snapshot_store>(
      std::make_unique<folder_snapshots>(std::move(segments), std::move(output)));
}

std::unique_ptr<snapshot_store> make_segment_folder(const std::string& folder) {
  return std::make_unique<folder_snapshots>(folder, folder);
}

} // namespace ebb
