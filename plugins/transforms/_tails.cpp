// Argmax under Student's t noise by quadrature on every row, for logits too far apart for tables: see `_tails.py`.
//
// Classes far below every node are many and alike: where a cell holds more than `CROWD` of them they are replaced by
// its `DEGREE` Chebyshev points. A cell is an octave or half of one of the distance below the lowest node, within
// which every function of the class is a polynomial up to rounding.

#include "_student.h"

#include <limits>
#include <vector>

namespace {

constexpr int POINTS = 8, PROBES = 16, SEARCHED = 48, DEGREE = 12, CROWD = 18, CELLS = 272;

struct Scratch {
  std::vector<double> x, w, joint, logs, sums;  // by node
  std::vector<float> cdf, z, s, power, all;
  std::vector<double> mu, y, best;  // by class: less the best; place in its cell; the highest ones, in order
  std::vector<int64_t> place, at;   // by class: column; its source, or the first one of its cell
  std::vector<double> source, count, first, second;  // by source: position, classes that it stands for, integrals
  std::vector<double> values, powers, coefficients;
  int64_t single;  // the first sources are classes themselves
};

// Nodes in x = c + sign scale sinh(t), t from 0 to `end`, in panels: of the law's width up to `fine`, then as wide as
// they are far from 0, but at most `most`.
void panels(const Law& law, double c, double sign, double end, double fine, double most, Scratch& u) {
  double t = 0;
  do {
    const double wide = t < fine ? law.width : std::max(law.width, std::min(t, most));
    const double step = std::min(wide, end - t);
    const size_t at = u.x.size();
    u.x.resize(at + POINTS), u.w.resize(at + POINTS);
    double *x = u.x.data() + at, *w = u.w.data() + at;
    for (int i = 0; i < POINTS; ++i) {
      const double up = power_of_e(t + step * law.node[i]), down = 1 / up;
      x[i] = c + sign * law.scale * (up - down) / 2;
      w[i] = step * law.weight[i] * law.scale * (up + down) / 2;
    }
    t += step;
  } while (t < end);
}

// Lowest point that matters: the first of equal steps of asinh where P(max <= x) is below the error, at first of long
// steps, then of short ones. If `relative` the error is relative to the probability of a class there.
double bottom(const Law& law, bool relative, double log_error, double reach, Scratch& u) {
  double high = 0, low = std::min(reach - log_error / law.df + 3, 80.0);
  u.x.resize(PROBES), u.joint.resize(PROBES), u.cdf.resize(PROBES);
  u.z.resize(PROBES), u.s.resize(PROBES), u.power.resize(PROBES);
  for (int round = 0; round < 2; ++round) {
    const double step = (low - high) / PROBES;
    for (int i = 0; i < PROBES; ++i) {
      const double up = power_of_e(high + step * (i + 1));
      u.x[i] = -law.scale * (up - 1 / up) / 2, u.joint[i] = 1.0;
    }
    for (double m : u.best) {
      evaluate<false>(law, u.x.data(), m, PROBES, u.cdf.data(), nullptr, u.z.data(), u.s.data(), u.power.data());
      for (int i = 0; i < PROBES; ++i) u.joint[i] *= whole(u.cdf[i]);
    }
    int i = 0;
    const auto least = [&](int k) { return relative ? law.df * (high + step * (k + 1)) : 0.0; };
    while (i + 1 < PROBES && u.joint[i] > std::exp(log_error - least(i))) ++i;
    low = high + step * (i + 1), high += step * i;
  }
  return -law.scale * std::sinh(low);
}

// asinh of the distance above the best up to which so many classes are that one of them is likely to lie beyond.
double crowded(const Law& law, Scratch& u) {
  double reach = 0;
  const auto look = [&](double m, double classes, double& reach) {
    const double z = 1 - m / law.scale;
    if (std::pow(z, law.df) <= classes) reach = std::log(classes) / law.df;
  };
  for (size_t j = 0; j < u.best.size(); ++j) look(u.best[j], j + 1, reach);
  if (u.best.size() < u.mu.size()) look(u.best.back(), u.mu.size(), reach);
  return reach;
}

// Nodes around the classes that can be the best. Returns the lowest point.
double place(const Law& law, bool relative, Scratch& u) {
  const double n = static_cast<double>(u.mu.size()), most = std::log(n) / law.df, crowd = crowded(law, u);
  const double depth = -*std::min_element(u.mu.begin(), u.mu.end()) / law.scale;
  const double log_error = law.log_error - (relative ? std::log(n) + 2 : 0.0);
  const double reach = relative ? std::log1p(depth) : 0.0, a = bottom(law, relative, log_error, reach, u);
  if (u.best.size() < u.mu.size() && u.best.back() > a) {
    u.best.clear();
    std::copy_if(u.mu.begin(), u.mu.end(), std::back_inserter(u.best), [&](double m) { return m > a; });
    std::sort(u.best.begin(), u.best.end(), std::greater<double>());
  }
  const double far = most - law.log_error / law.df + 2 + reach;
  u.x.clear(), u.w.clear();
  panels(law, 0.0, 1.0, std::min(far, 85.0), crowd + law.width, 3.2, u);
  double center = 0.0;
  const auto t = [&](double distance) { return std::asinh(distance / law.scale); };
  const auto inner = [&](double sign, double end) { panels(law, center, sign, end, 0.0, relative ? 2.4 : 3.2, u); };
  for (size_t j = 1; j < u.best.size() && u.best[j] > a; ++j) {
    const double gap = center - u.best[j];
    if (gap < law.scale / 2) continue;
    inner(-1.0, t(gap / 2));
    center = u.best[j];
    inner(1.0, t(gap / 2));
  }
  inner(-1.0, t(center - a));
  return a;
}

// Classes of a row, the best at 0; false for one that cannot be computed on.
bool read(const float* row, int64_t n, Scratch& u) {
  float top = -std::numeric_limits<float>::infinity();
  bool good = true;
  for (int64_t j = 0; j < n; ++j) good = good && row[j] < INFINITY, top = std::max(top, row[j]);
  if (!good || top == -INFINITY) return false;
  u.mu.clear(), u.place.clear();
  for (int64_t j = 0; j < n; ++j)
    if (row[j] != -INFINITY) u.mu.push_back(double(row[j]) - top), u.place.push_back(j);
  u.best.resize(std::min<size_t>(SEARCHED, u.mu.size()));
  std::partial_sort_copy(u.mu.begin(), u.mu.end(), u.best.begin(), u.best.end(), std::greater<double>());
  return true;
}

// The cell of a class at d >= 1/2 below, and its place in [-1, 1]. Cells are half as wide where tails are steep.
inline int cell(const Law& law, double d, double* y) {
  int64_t bits, begin = 0x3fe0000000000000;
  std::memcpy(&bits, &d, 8);
  const int64_t fraction = (bits & 0x000fffffffffffff) | 0x3ff0000000000000;
  double mantissa;
  std::memcpy(&mantissa, &fraction, 8);
  const bool steep = law.df > 1;
  *y = steep ? (mantissa - (mantissa < 1.5 ? 1.25 : 1.75)) * 4 : (mantissa - 1.5) * 2;
  return static_cast<int>((bits - begin) >> (steep ? 51 : 52));
}

inline double from_cell(const Law& law, int cell, double y) {
  if (law.df <= 1) return std::ldexp(1.5 + y / 2, cell - 1);
  return std::ldexp((cell % 2 ? 1.75 : 1.25) + y / 4, cell / 2 - 1);
}

// Sources in place of the classes: one for each of the few, the points of a cell for those of a full one.
void gather_sources(const Law& law, double a, Scratch& u) {
  const int64_t k = u.mu.size();
  u.at.resize(k), u.y.resize(k), u.source.clear(), u.count.clear();
  int32_t held[CELLS] = {};
  for (int64_t j = 0; j < k; ++j) {
    const double d = (a - u.mu[j]) / law.scale + 0.5;
    u.at[j] = d < 0.5 ? -1 : cell(law, d, &u.y[j]);
    if (u.at[j] >= 0) ++held[u.at[j]];
  }
  for (int64_t j = 0; j < k; ++j) {
    if (u.at[j] >= 0 && held[u.at[j]] > CROWD) continue;
    u.at[j] = u.source.size(), u.y[j] = 2, u.source.push_back(u.mu[j]);
  }
  u.single = u.source.size();
  int64_t begin[CELLS];
  for (int c = 0; c < CELLS; ++c) {
    if (held[c] <= CROWD) continue;
    begin[c] = u.source.size();
    for (int p = 0; p < DEGREE; ++p) u.source.push_back(a - (from_cell(law, c, law.point[p]) - 0.5) * law.scale);
  }
  for (int64_t j = 0; j < k; ++j)
    if (u.y[j] != 2) u.at[j] = begin[u.at[j]];
}

// Sums over the classes by source, of values or of 1: the transpose of `at_classes`.
void to_sources(const Law& law, const double* values, std::vector<double>& out, Scratch& u) {
  out.assign(u.source.size(), 0.0), u.powers.assign(u.source.size(), 0.0);
  for (size_t j = 0; j < u.mu.size(); ++j) {
    double value = values ? values[j] : 1;
    if (u.at[j] < u.single) {
      out[u.at[j]] = value;
      continue;
    }
    const double y = u.y[j], power[] = {1, y, y * y, y * y * y}, next = power[2] * power[2];
    double* sums = u.powers.data() + u.at[j];
    for (int p = 0; p < DEGREE; p += 4, value *= next)
      for (int i = 0; i < 4; ++i) sums[p + i] += value * power[i];
  }
  for (size_t c = u.single; c < u.source.size(); c += DEGREE)
    for (int p = 0; p < DEGREE; ++p)
      for (int i = 0; i < DEGREE; ++i) out[c + p] += law.basis[p * DEGREE + i] * u.powers[c + i];
}

// A function of the sources at every class.
void at_classes(const Law& law, const std::vector<double>& values, double* out, Scratch& u) {
  u.coefficients.assign(u.source.size(), 0.0);
  for (size_t c = u.single; c < u.source.size(); c += DEGREE)
    for (int p = 0; p < DEGREE; ++p)
      for (int i = 0; i < DEGREE; ++i) u.coefficients[c + i] += law.basis[p * DEGREE + i] * values[c + p];
  for (size_t j = 0; j < u.mu.size(); ++j) {
    if (u.at[j] < u.single) {
      out[j] = values[u.at[j]];
      continue;
    }
    const double* c = u.coefficients.data() + u.at[j];
    const double y = u.y[j], next = y * y * y * y;
    double sums[4] = {};
    for (int p = DEGREE - 4; p >= 0; p -= 4)
      for (int i = 0; i < 4; ++i) sums[i] = sums[i] * next + c[p + i];
    out[j] = sums[0] + y * sums[1] + y * y * (sums[2] + y * sums[3]);
  }
}

// Hazards [sources, q] in u.all and weights times P(max <= x) in u.joint.
void fill(const Law& law, bool relative, Scratch& u) {
  const double a = place(law, relative, u);
  gather_sources(law, a, u);
  to_sources(law, nullptr, u.count, u);
  const int64_t q = u.x.size(), k = u.source.size();
  u.joint = u.w, u.cdf.resize(q), u.z.resize(q), u.s.resize(q), u.power.resize(q), u.all.resize(k * q);
  u.logs.assign(q, 0.0);
  for (int64_t j = 0; j < k; ++j) {
    float* h = u.all.data() + j * q;
    evaluate<true>(law, u.x.data(), u.source[j], q, u.cdf.data(), h, u.z.data(), u.s.data(), u.power.data());
    const float *cdf = u.cdf.data(), *log = law.log;
    const double count = u.count[j];
    double *joint = u.joint.data(), *logs = u.logs.data();
    if (j < u.single)
      for (int64_t i = 0; i < q; ++i) joint[i] *= whole(cdf[i]);
    else
#pragma omp simd
      for (int64_t i = 0; i < q; ++i) logs[i] += count * double(cdf[i] * horner(log, -4 * cdf[i] - 1));
  }
  if (u.single < k)
    for (int64_t i = 0; i < q; ++i) u.joint[i] *= u.logs[i] > -600 ? power_of_e(u.logs[i]) : 0;
}

// Integrals over the nodes of `weights` times the hazard of every source.
void integrate(const double* weights, std::vector<double>& out, Scratch& u) {
  const int64_t q = u.x.size();
  out.resize(u.source.size());
  for (size_t j = 0; j < u.source.size(); ++j) {
    const float* h = u.all.data() + j * q;
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < q; ++i) sum += weights[i] * h[i];
    out[j] = sum;
  }
}

void forward_row(const Law& law, const float* row, int64_t n, bool relative, float* out, float* mass, Scratch& u) {
  *mass = NAN;
  if (!read(row, n, u)) return std::fill(out, out + n, NAN);
  std::fill(out, out + n, relative ? -INFINITY : 0.0f);
  fill(law, relative, u);
  integrate(u.joint.data(), u.first, u);
  u.values.resize(u.mu.size());
  at_classes(law, u.first, u.values.data(), u);
  double total = 0;
  for (double value : u.values) total += value;
  for (size_t j = 0; j < u.values.size(); ++j) {
    const double p = u.values[j] / total;
    out[u.place[j]] = static_cast<float>(relative ? std::log(p) : p);
  }
  *mass = static_cast<float>(total);
}

// Product of v with the Jacobian of p, or of log p.
void pull_row(const Law& law, const float* row, const float* v, int64_t n, bool relative, float* out, Scratch& u) {
  std::fill(out, out + n, 0.0f);
  if (!read(row, n, u)) return;
  fill(law, relative, u);
  const int64_t q = u.x.size(), k = u.mu.size();
  u.values.assign(k, 1.0);
  if (relative) integrate(u.joint.data(), u.first, u), at_classes(law, u.first, u.values.data(), u);
  for (int64_t j = 0; j < k; ++j) u.values[j] = v[u.place[j]] == 0 ? 0 : v[u.place[j]] / u.values[j];
  to_sources(law, u.values.data(), u.second, u);
  u.sums.assign(2 * q, 0.0);
  double *all = u.sums.data(), *weighted = all + q;
  for (size_t j = 0; j < u.source.size(); ++j) {
    const float* h = u.all.data() + j * q;
    const double count = u.count[j], value = u.second[j];
    for (int64_t i = 0; i < q; ++i) all[i] += count * h[i], weighted[i] += value * h[i];
  }
  for (int64_t i = 0; i < q; ++i) all[i] *= u.joint[i], weighted[i] *= u.joint[i];
  std::vector<double>& found = u.logs;
  integrate(all, u.first, u), integrate(weighted, u.second, u);
  found.resize(2 * k);
  at_classes(law, u.first, found.data(), u), at_classes(law, u.second, found.data() + k, u);
  for (int64_t j = 0; j < k; ++j) out[u.place[j]] = static_cast<float>(u.values[j] * found[j] - found[k + j]);
}

}  // namespace

// `v` null: p or log p and the sum before normalization; else the product of v with the Jacobian.
extern "C" void tails(const float* rows, const float* v, const double* numbers, const float* series,
                      const double* rule, const double* cell, float* out, float* mass, int64_t r, int64_t n,
                      int64_t relative, int threads) {
  const Law law = {numbers[0], numbers[1], numbers[2], numbers[3], series, series + TERMS, series + 2 * TERMS,
                   series + 3 * TERMS, rule, rule + POINTS, cell, cell + DEGREE};
#pragma omp parallel num_threads(threads) if (threads > 1)
  {
    Scratch scratch;
    const Flush flush;
#pragma omp for
    for (int64_t i = 0; i < r; ++i)
      if (v) pull_row(law, rows + i * n, v + i * n, n, relative, out + i * n, scratch);
      else forward_row(law, rows + i * n, n, relative, out + i * n, mass + i, scratch);
  }
}
