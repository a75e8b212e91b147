/// Changes of what a service has, as they are made durable.
#pragma once

#include "actors/service/apply_plan.hpp"
#include "actors/service/control_records.hpp"
#include "actors/service/topics/topic_registry.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace ebb {

/// Used on the I/O lane of the control database; blocks. What is planned is durable when these
/// return: the keeper of streams is to be told (`keeper::applied`).
class resource_changes {
public:
  resource_changes(control_records& records, topic_registry& topics, std::function<micros()> clock,
                   std::string files_folder)
      : records_(records), topics_(topics), clock_(std::move(clock)),
        files_folder_(std::move(files_folder)) {}

  struct wish {
    std::string_view text;
    std::string name_space = default_namespace; ///< of documents that name none
    std::function<result<std::string>()> new_uid;
    bool dry_run = false; ///< nothing is changed
  };

  [[nodiscard]] result<apply_plan> apply(const wish& x);

  /// ec::not_found; ec::conflict where streams use it: they are named.
  [[nodiscard]] result<void> remove_topic(const std::string& qualified);

private:
  [[nodiscard]] result<void> spare_files(const service_changes& changes);

  control_records& records_;
  topic_registry& topics_;
  std::function<micros()> clock_;
  std::string files_folder_;
};

} // namespace ebb
