// Argmax under Student's t noise by quadrature on every row, for logits too far apart for tables: see `_tails.py`.
//
// With z = -s cot(s) the distribution function is s^df G(y) for z <= 0 and the hazard s K(y), y = 8 s^2 / pi^2 - 1;
// the density is s^(df + 1) R(y). G, K, R are polynomials. Nodes are in double, functions of them in float.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#ifdef __SSE__
#include <xmmintrin.h>
#endif

namespace {

// Subnormal numbers count as 0 while it lives: arithmetic on them is a hundred times slower.
struct Flush {
#ifdef __SSE__
  unsigned before = _mm_getcsr();
  Flush() { _mm_setcsr(before | 0x8040); }
  ~Flush() { _mm_setcsr(before); }
#endif
};

constexpr int TERMS = 12, POINTS = 8, PROBES = 32, SEARCHED = 48;
constexpr double PI = 3.14159265358979323846;

struct Law {
  double df, scale, log_error, width;
  const float *arc, *tail, *hazard, *density;  // coefficients [TERMS] of y^0, ..., arc of t^2
  const double *node, *weight;                 // Gauss-Legendre on [0, 1], [POINTS]
};

struct Scratch {
  std::vector<double> x, w, joint, sums, values;
  std::vector<float> cdf, h, z, s, power, all;
  std::vector<double> mu, sorted;
  std::vector<int64_t> place;
};

inline float horner(const float* __restrict c, float y) {
  float value = c[TERMS - 1];
  for (int k = TERMS - 2; k >= 0; --k) value = value * y + c[k];
  return value;
}

// F(x - m), less 1 right of m, and h(x - m) at q points; z, s and power are scratch.
void evaluate(const Law& law, const double* __restrict x, double m, int64_t q, float* __restrict cdf,
              float* __restrict h, float* __restrict z, float* __restrict s, float* __restrict power) {
  const float scale = static_cast<float>(law.scale), half = static_cast<float>(PI / 2);
  const float square = static_cast<float>(8 / (PI * PI)), least = 1e-37f;
  const int whole = static_cast<int>(law.df);
  const float part = static_cast<float>(law.df - whole), first = whole ? 1.0f : 0.0f;
  float arcs[TERMS], tails[TERMS], hazards[TERMS], densities[TERMS];
  std::copy_n(law.arc, TERMS, arcs), std::copy_n(law.tail, TERMS, tails);
  std::copy_n(law.hazard, TERMS, hazards), std::copy_n(law.density, TERMS, densities);
#pragma omp simd
  for (int64_t i = 0; i < q; ++i) z[i] = static_cast<float>(x[i] - m);
#pragma omp simd
  for (int64_t i = 0; i < q; ++i) {
    const float size = std::fabs(z[i]);
    const float t = (size < scale ? size : scale) / (size < scale ? scale : size), arc = t * horner(arcs, t * t * 2 - 1);
    s[i] = size < scale ? half - arc : arc;
    power[i] = first * s[i] + (1 - first);
  }
  for (int k = 1; k < whole; ++k)
#pragma omp simd
    for (int64_t i = 0; i < q; ++i) power[i] *= s[i];
  if (part != 0)
    for (int64_t i = 0; i < q; ++i) power[i] *= std::pow(s[i], part);
#pragma omp simd
  for (int64_t i = 0; i < q; ++i) {
    const float y = s[i] * s[i] * square - 1, tail = power[i] * horner(tails, y);
    const float left = s[i] * horner(hazards, y), right = power[i] * s[i] * horner(densities, y) / (1 - tail);
    const float below = z[i] < 0 ? 1.0f : 0.0f;
    cdf[i] = below * (tail + least) - (1 - below) * tail;
    h[i] = below * left + (1 - below) * right;
  }
}

// F from what `evaluate` gives: in double, since 1 less a small tail is 1 in float.
inline double whole(float cdf) { return cdf > 0 ? double(cdf) : 1.0 + cdf; }

// Nodes from t0 to t1 in x = c + sign scale sinh(t).
void panels(const Law& law, double c, double sign, double t0, double t1, Scratch& u) {
  const int64_t count = std::max<int64_t>(1, static_cast<int64_t>(std::ceil((t1 - t0) / law.width)));
  const double step = (t1 - t0) / count;
  for (int64_t k = 0; k < count; ++k)
    for (int i = 0; i < POINTS; ++i) {
      const double up = std::exp(t0 + step * (k + law.node[i])), down = 1 / up;
      u.x.push_back(c + sign * law.scale * (up - down) / 2);
      u.w.push_back(step * law.weight[i] * law.scale * (up + down) / 2);
    }
}

// Lowest point that matters: the first of equal steps of asinh where P(max <= x) is below the error.
double bottom(const Law& law, double log_error, Scratch& u) {
  const int64_t used = std::min<int64_t>(SEARCHED, u.sorted.size());
  const double last = std::min(-log_error / law.df + 3, 80.0), step = last / PROBES;
  u.x.resize(PROBES), u.joint.assign(PROBES, 1.0), u.cdf.resize(PROBES), u.h.resize(PROBES);
  u.z.resize(PROBES), u.s.resize(PROBES), u.power.resize(PROBES);
  for (int i = 0; i < PROBES; ++i) u.x[i] = -law.scale * std::sinh(step * (i + 1));
  for (int64_t j = 0; j < used; ++j) {
    evaluate(law, u.x.data(), u.sorted[j], PROBES, u.cdf.data(), u.h.data(), u.z.data(), u.s.data(), u.power.data());
    for (int i = 0; i < PROBES; ++i) u.joint[i] *= whole(u.cdf[i]);
  }
  const double least = std::exp(log_error);
  int i = 0;
  while (i + 1 < PROBES && u.joint[i] > least) ++i;
  return u.x[i];
}

void place(const Law& law, bool relative, Scratch& u) {
  const double n = static_cast<double>(u.sorted.size()), depth = -u.sorted.back() / law.scale;
  const double log_error = law.log_error - (relative ? (law.df + 1) * std::log1p(depth) : 0.0);
  const double a = bottom(law, log_error, u), far = (std::log(n) - log_error) / law.df + 2;
  u.x.clear(), u.w.clear();
  panels(law, 0.0, 1.0, 0.0, std::min(far, 85.0), u);
  double center = 0.0;
  const auto t = [&](double distance) { return std::asinh(distance / law.scale); };
  for (size_t j = 1; j < u.sorted.size() && u.sorted[j] > a; ++j) {
    const double gap = center - u.sorted[j];
    if (gap < law.scale / 2) continue;
    panels(law, center, -1.0, 0.0, t(gap / 2), u);
    center = u.sorted[j];
    panels(law, center, 1.0, 0.0, t(gap / 2), u);
  }
  panels(law, center, -1.0, 0.0, t(center - a), u);
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
  u.sorted = u.mu;
  std::sort(u.sorted.begin(), u.sorted.end(), std::greater<double>());
  return true;
}

// Hazards [k, q] in u.all and weights times P(max <= x) in u.joint.
void fill(const Law& law, bool relative, Scratch& u) {
  place(law, relative, u);
  const int64_t q = u.x.size(), k = u.mu.size();
  u.joint = u.w, u.cdf.resize(q), u.z.resize(q), u.s.resize(q), u.power.resize(q), u.all.resize(k * q);
  for (int64_t j = 0; j < k; ++j) {
    evaluate(law, u.x.data(), u.mu[j], q, u.cdf.data(), u.all.data() + j * q, u.z.data(), u.s.data(), u.power.data());
    for (int64_t i = 0; i < q; ++i) u.joint[i] *= whole(u.cdf[i]);
  }
}

inline double dot(const double* a, const float* b, int64_t q) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < q; ++i) sum += a[i] * b[i];
  return sum;
}

void forward_row(const Law& law, const float* row, int64_t n, bool relative, float* out, float* mass, Scratch& u) {
  *mass = NAN;
  if (!read(row, n, u)) return std::fill(out, out + n, NAN);
  std::fill(out, out + n, relative ? -INFINITY : 0.0f);
  fill(law, relative, u);
  const int64_t q = u.x.size(), k = u.mu.size();
  double total = 0;
  u.values.resize(k);
  for (int64_t j = 0; j < k; ++j) total += u.values[j] = dot(u.joint.data(), u.all.data() + j * q, q);
  for (int64_t j = 0; j < k; ++j) {
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
  u.values.resize(k), u.sums.assign(2 * q, 0.0);
  double *all = u.sums.data(), *weighted = all + q;
  for (int64_t j = 0; j < k; ++j) {
    const float* h = u.all.data() + j * q;
    const double value = v[u.place[j]], scaled = relative ? value / dot(u.joint.data(), h, q) : value;
    u.values[j] = value == 0 ? 0 : scaled;
    for (int64_t i = 0; i < q; ++i) all[i] += h[i], weighted[i] += u.values[j] * h[i];
  }
  for (int64_t i = 0; i < q; ++i) all[i] *= u.joint[i], weighted[i] *= u.joint[i];
  for (int64_t j = 0; j < k; ++j) {
    const float* h = u.all.data() + j * q;
    out[u.place[j]] = static_cast<float>(u.values[j] * dot(all, h, q) - dot(weighted, h, q));
  }
}

}  // namespace

// `v` null: p or log p and the sum before normalization; else the product of v with the Jacobian.
extern "C" void tails(const float* rows, const float* v, const double* numbers, const float* series,
                      const double* rule, float* out, float* mass, int64_t r, int64_t n, int64_t relative,
                      int threads) {
  const Law law = {numbers[0], numbers[1], numbers[2], numbers[3], series, series + TERMS, series + 2 * TERMS,
                   series + 3 * TERMS, rule, rule + POINTS};
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
