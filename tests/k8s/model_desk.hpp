/// A service that keeps streams and topics, in virtual time: for tests. Its state outlives a crash
/// of the control process.
#pragma once

#include "actors/service/resource_desk.hpp"
#include "k8s-bridge/client/kube_answer.hpp"
#include "tests/k8s/model_api.hpp"

#include <map>
#include <string>
#include <tuple>

namespace ebb::test {

class model_desk final : public resource_desk {
public:
  explicit model_desk(model_api& world) : world_(world) {}

  using key = std::tuple<resource_kind, std::string, std::string>;

  struct held {
    std::string uid;
    std::string text;
    std::string topic; ///< that it reads
  };

  void apply(std::string text, std::string name_space, std::string uid,
             std::function<void(result<held_resource>)> done) override {
    ++applies;
    world_.call_after(1'000, [this, text, name_space, uid, done] {
      const auto x = kube_json::parse(text);
      const auto kind =
          text_at(x, {"kind"}) == "Topic" ? resource_kind::topic : resource_kind::stream;
      const auto name = text_at(x, {"metadata", "name"});
      if (text_at(x, {"spec", "what"}) == "bad") {
        auto problem = make_error(ec::invalid_argument, "this is bad");
        problem.place.field = "spec.what";
        return done(problem);
      }
      const auto topic = text_at(x, {"spec", "topic"});
      if (!topic.empty() && !all.contains({resource_kind::topic, name_space, topic}))
        return done(make_error(ec::invalid_argument, "there is no topic named " + topic));
      auto& to = all[{kind, name_space, name}];
      if (to.uid.empty())
        to.uid = uid;
      to.text = text;
      to.topic = topic;
      done(held_resource{kind, name_space, name, to.uid});
    });
  }

  void remove(held_resource what, std::function<void(result<void>)> done) override {
    world_.call_after(1'000, [this, what, done] {
      const auto found = all.find({what.kind, what.name_space, what.name});
      if (found == all.end() || found->second.uid != what.uid)
        return done({});
      if (what.kind == resource_kind::topic)
        for (const auto& [k, x] : all)
          if (std::get<1>(k) == what.name_space && x.topic == what.name)
            return done(make_error(ec::conflict, "topic " + what.name + " is used"));
      removed.push_back(what.uid);
      all.erase(found);
      done({});
    });
  }

  void list(std::function<void(result<std::vector<held_resource>>)> done) override {
    world_.call_after(1'000, [this, done] {
      std::vector<held_resource> x;
      for (const auto& [k, y] : all)
        x.push_back({std::get<0>(k), std::get<1>(k), std::get<2>(k), y.uid});
      done(std::move(x));
    });
  }

  void look(held_resource what,
            std::function<void(result<std::optional<resource_report>>)> done) override {
    world_.call_after(1'000, [this, what, done] {
      const auto found = all.find({what.kind, what.name_space, what.name});
      if (found == all.end() || found->second.uid != what.uid)
        return done(std::optional<resource_report>());
      resource_report x;
      x.uid = what.uid;
      x.phase = "Asleep";
      x.reason = "Idle";
      x.ready = true;
      done(std::optional(x));
    });
  }

  std::map<key, held> all;
  std::vector<std::string> removed; ///< uids
  std::size_t applies = 0;

private:
  model_api& world_;
};

} // namespace ebb::test
