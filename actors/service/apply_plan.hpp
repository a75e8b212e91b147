/// What applying manifests changes: compared with what is there, checked as a whole. Pure.
#pragma once

#include "actors/plan/manifest.hpp"
#include "actors/service/topics/topic_settings.hpp"
#include "schemas/error.hpp"
#include "storage/control_db.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// How a service finds what it has, by qualified name.
struct resource_lookup {
  std::function<result<std::optional<stream_entry>>(const std::string& name)> stream;
  std::function<result<std::optional<topic_entry>>(const std::string& name)> topic;
  /// Of a stream, by uid.
  std::function<result<std::optional<life_traits>>(const std::string& uid)> traits;
  /// Name of a stream, but the one with this uid, that writes the file.
  std::function<result<std::optional<std::string>>(const std::string& path, const std::string& but)>
      writer;
};

struct apply_options {
  std::string name_space = default_namespace; ///< of documents that name none
  std::string files_folder; ///< streams read and write files only there; empty = no files at all
  micros now = 0;
  std::function<result<std::string>()> new_uid;
};

enum class apply_action : std::uint8_t { created, configured, unchanged };

[[nodiscard]] const char* to_string(apply_action x) noexcept;

/// What becomes of one document.
struct applied_document {
  std::string kind; ///< Stream, Topic
  std::string name; ///< in its namespace
  std::string name_space;
  std::string uid;
  apply_action action = apply_action::unchanged;
  std::vector<std::string> warnings;
};

struct apply_plan {
  std::vector<applied_document> documents; ///< in the order of the text, topics first
  service_changes changes;
  std::vector<topic_settings> topics; ///< created and changed ones
};

/// Nothing is planned where one document is wrong. ec::conflict where a change does not fit what
/// is there (a topic's schema, a stream's state): the message lists what.
[[nodiscard]] result<apply_plan> plan_apply(std::string_view text, const apply_options& options,
                                            const resource_lookup& known);

[[nodiscard]] topic_settings settings_of(const topic_definition& from, const std::string& uid);

/// The definition of a topic that was applied once.
[[nodiscard]] result<topic_definition> definition_of(const topic_entry& from);
/// The same of a stream; with its folder.
[[nodiscard]] result<stream_definition> definition_of(const stream_entry& from,
                                                      const std::string& files_folder);

/// `name` without its namespace, and the namespace.
struct split_name {
  std::string name_space;
  std::string name;
};

[[nodiscard]] split_name split(const std::string& qualified);

} // namespace ebb
