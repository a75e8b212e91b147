// Documents of kind Topic.

#include "actors/plan/manifest_parts.hpp"

#include <algorithm>

namespace ebb::manifest {

namespace {

constexpr std::uint64_t partitions_max = 1024; ///< as a topic's log can have
constexpr std::uint64_t retained_min = std::uint64_t{1} << 20;

result<void> read_retention(const reader& in, const located& spec, topic_definition& out) {
  const auto at = reader::field(spec, "retention");
  if (!at)
    return {};
  EBB_TRY(in.keys(at, {"time", "size"}));
  if (const auto x = reader::field(at, "time")) {
    EBB_ASSIGN(out.retention_age, in.duration(x, 1));
  }
  if (const auto x = reader::field(at, "size")) {
    EBB_ASSIGN(out.retention_bytes, in.size(x));
    if (out.retention_bytes < retained_min)
      return in.fail(x, "a topic keeps at least 1Mi", "write size: 1Gi");
  }
  return {};
}

result<void> read_quota(const reader& in, const located& spec, topic_definition& out) {
  const auto at = reader::field(spec, "quota");
  if (!at)
    return {};
  EBB_TRY(in.keys(at, {"size"}));
  EBB_ASSIGN(const auto x, in.required(at, "size", "quota: {size: 4Gi}"));
  EBB_ASSIGN(out.quota_bytes, in.size(x));
  if (out.quota_bytes < retained_min)
    return in.fail(x, "a topic may hold at least 1Mi", "write size: 4Gi");
  return {};
}

/// Changes of one row must keep their order, and only a partition has one.
result<void> check_changes(const reader& in, const located& spec, const topic_definition& topic) {
  if (topic.partitions == 1)
    return {};
  const auto& keys = topic.primary_key;
  const auto partitions = reader::field(spec, "partitions");
  if (keys.empty())
    return in.fail(partitions,
                   "a topic of changes with several partitions needs a PRIMARY KEY in its schema",
                   "add PRIMARY KEY (column), and key: column; or leave out partitions");
  if (topic.key.empty())
    return in.fail(partitions, "a topic of changes with several partitions needs a key",
                   "add key: " + keys.front() + ", so that the changes of a row keep their order");
  if (std::find(keys.begin(), keys.end(), topic.key) == keys.end())
    return in.fail(reader::field(spec, "key"),
                   "the key of a topic of changes is a column of its PRIMARY KEY, and " + topic.key
                       + " is not",
                   "write key: " + keys.front());
  return {};
}

} // namespace

result<topic_definition> read_topic(const reader& in, const located& document) {
  topic_definition out;
  out.place = in.place(document);
  EBB_ASSIGN(auto named, read_metadata(in, document));
  out.name = std::move(named.name);
  out.name_space = std::move(named.name_space);
  EBB_ASSIGN(const auto spec, in.required(document, "spec", "spec with a schema"));
  EBB_TRY(in.keys(spec, {"schema", "partitions", "key", "retention", "quota", "format"}));
  EBB_ASSIGN(const auto columns, in.required(spec, "schema", "schema: id BIGINT, name TEXT"));
  EBB_ASSIGN(auto parsed, read_schema(in, columns));
  if (const auto x = reader::field(spec, "format")) {
    EBB_ASSIGN(const auto which, in.word(x, {"json", "debezium"}));
    out.format = which == 0 ? record_format::json : record_format::debezium;
  }
  if (!parsed.primary_key.empty() && out.format == record_format::json)
    return in.fail(columns, "a topic of single rows has no PRIMARY KEY",
                   "leave it out here, a source that reads the topic can promise one; or write "
                   "format: debezium, for a topic of changes",
                   ec::unsupported);
  out.columns = std::move(parsed.columns);
  out.primary_key = std::move(parsed.primary_key);
  if (const auto x = reader::field(spec, "partitions")) {
    EBB_ASSIGN(const auto count, in.integer(x, 1, partitions_max));
    out.partitions = static_cast<std::uint32_t>(count);
  }
  if (const auto x = reader::field(spec, "key")) {
    EBB_ASSIGN(const auto name, in.text(x, "the name of a column"));
    const auto* found = find_column(out.columns, name);
    if (found == nullptr)
      return in.fail(x, "the schema has no column " + name, nearest_column(out.columns, name));
    out.key = found->name;
  }
  EBB_TRY(read_retention(in, spec, out));
  EBB_TRY(read_quota(in, spec, out));
  if (out.format == record_format::debezium)
    EBB_TRY(check_changes(in, spec, out));
  return out;
}

} // namespace ebb::manifest
