// SPDX-License-Identifier: BSD-2-Clause
//
// Looks for the highest rate at which nothing is lost, by halving the interval in which it must be
// (RFC 2544, section 26.1). The first trial is at the highest rate there is to try.
#pragma once

namespace nmx {

class RateSearch {
 public:
  struct Trial {
    double asked;    ///< packets a second, 0 for as many as go
    double offered;  ///< what the sender made of that
    bool is_clean;   ///< nothing was lost
  };

  /// `most` packets a second are tried, 0 for as many as go; the rate found is at most the share
  /// `resolution` of it too low.
  RateSearch(double most, double resolution) : next_(most), resolution_(resolution) {}

  [[nodiscard]] bool is_done() const { return is_done_; }
  /// The rate to be tried now; 0 for as many as go.
  [[nodiscard]] double next() const { return next_; }
  void record(const Trial& trial);

  /// The highest rate that was offered without loss, 0 if there was none.
  [[nodiscard]] double found() const { return clean_; }
  /// Whether that is all the sender could send, so that what is between might take more.
  [[nodiscard]] bool is_senders() const { return is_senders_; }
  /// Whether that is all that was to be tried.
  [[nodiscard]] bool is_most() const { return is_done_ && lossy_ == 0 && !is_senders_; }

 private:
  double next_;
  double resolution_;
  double clean_ = 0;  ///< the highest rate without loss
  double lossy_ = 0;  ///< the lowest with, 0 before there is one
  bool is_senders_ = false;
  bool is_done_ = false;
};

}  // namespace nmx
