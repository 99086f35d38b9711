"""What a run came to, computed from its equity curve and its trades alone.

Definitions follow LEAN's: daily returns, 252 of them a year, no risk-free rate, sample deviations;
what cannot be computed is 0.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from sandbox.quantconnect.algorithm import Algorithm
from sandbox.quantconnect.formats import Json, engine_time, money, number, percent, symbol_id
from sandbox.quantconnect.trades import Trade, duration

_YEAR = 252
_DAYS_A_YEAR = 365.25
_MOST = 1e9  # beyond it a figure of a few days means nothing
_NORMAL = statistics.NormalDist()


@dataclass(frozen=True, slots=True)
class Risk:
    """Figures of daily returns against a benchmark's, for a year."""

    mean: float
    deviation: float
    downside: float
    benchmark_mean: float
    alpha: float
    beta: float
    tracking: float
    sharpe_probability: float
    value_at_risk_99: float
    value_at_risk_95: float

    @property
    def sharpe(self) -> float:
        """Return for its deviation."""
        return _ratio(self.mean, self.deviation)

    @property
    def sortino(self) -> float:
        """Return for its deviation below zero."""
        return _ratio(self.mean, self.downside)

    @property
    def information(self) -> float:
        """Return above the benchmark's for the deviation from it."""
        return _ratio(self.mean - self.benchmark_mean, self.tracking)

    @property
    def treynor(self) -> float:
        """Return for the market's risk."""
        return _ratio(self.mean, self.beta)


def risk_of(days: Sequence[tuple[float, float]]) -> Risk:
    """From the last equity and benchmark of every day, the start before the first day included."""
    own = [b[0] / a[0] - 1 for a, b in pairwise(days)]
    other = [b[1] / a[1] - 1 for a, b in pairwise(days)]
    if len(own) < 2:
        return Risk(*(0.0,) * 10)
    mean, deviation = statistics.fmean(own), statistics.stdev(own)
    benchmark, spread = statistics.fmean(other), statistics.variance(other)
    beta = _ratio(statistics.covariance(own, other), spread)
    root = math.sqrt(_YEAR)
    return Risk(
        mean=mean * _YEAR,
        deviation=deviation * root,
        downside=math.sqrt(statistics.fmean(min(r, 0) ** 2 for r in own)) * root,
        benchmark_mean=benchmark * _YEAR,
        alpha=(mean - beta * benchmark) * _YEAR,
        beta=beta,
        tracking=statistics.stdev(a - b for a, b in zip(own, other, strict=True)) * root,
        sharpe_probability=_probability(own, mean, deviation),
        value_at_risk_99=mean + _NORMAL.inv_cdf(0.01) * deviation,
        value_at_risk_95=mean + _NORMAL.inv_cdf(0.05) * deviation,
    )


def _probability(returns: Sequence[float], mean: float, deviation: float) -> float:
    """That the true Sharpe ratio is above 1 a year (Bailey and Lopez de Prado, 2012)."""
    if not deviation:
        return 0.0
    ratio, wanted = mean / deviation, 1 / math.sqrt(_YEAR)
    scaled = [(r - mean) / deviation for r in returns]
    skew = statistics.fmean(s**3 for s in scaled)
    kurtosis = statistics.fmean(s**4 for s in scaled)
    below = 1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2
    if below <= 0:
        return 0.0
    return _NORMAL.cdf((ratio - wanted) * math.sqrt((len(returns) - 1) / below))


@dataclass(frozen=True, slots=True)
class Summary:
    """One run from start to end."""

    run: Algorithm
    start: datetime
    end: datetime
    risk: Risk

    @classmethod
    def of(cls, run: Algorithm, start: datetime, end: datetime) -> "Summary":
        """The figures of a run."""
        before = (float(run.start_cash), float(run.start_cash))
        return cls(run, start, end, risk_of([before, *run.curve.days.values()]))

    @property
    def wins(self) -> list[Trade]:
        """Trades that gained after fees."""
        return [t for t in self.run.ledger.closed if t.net > 0]

    @property
    def losses(self) -> list[Trade]:
        """Trades that did not."""
        return [t for t in self.run.ledger.closed if t.net <= 0]

    @property
    def win_rate(self) -> float:
        """Share of trades that gained."""
        return _ratio(len(self.wins), len(self.run.ledger.closed))

    @property
    def average_win(self) -> float:
        """Of the start equity."""
        return self._average(self.wins)

    @property
    def average_loss(self) -> float:
        """Of the start equity, 0 or below."""
        return self._average(self.losses)

    @property
    def profit_loss(self) -> float:
        """Average win for average loss."""
        return _ratio(self.average_win, -self.average_loss)

    @property
    def expectancy(self) -> float:
        """What is won for each dollar at risk."""
        lost = 1 - self.win_rate if self.run.ledger.closed else 0.0
        return self.win_rate * self.profit_loss - lost

    @property
    def net_profit(self) -> float:
        """Of the start equity."""
        return float(self.run.equity / self.run.start_cash - 1)

    @property
    def compound(self) -> float:
        """Growth in a year."""
        years = (self.end - self.start).total_seconds() / 86_400 / _DAYS_A_YEAR
        growth = 1 + self.net_profit
        if years <= 0 or growth <= 0:
            return 0.0
        exponent = math.log(growth) / years
        return math.expm1(exponent) if exponent < math.log(_MOST) else _MOST

    @property
    def turnover(self) -> float:
        """Traded dollars a day, of the average equity."""
        middle = float(self.run.equity + self.run.start_cash) / 2
        return _ratio(float(self.run.volume), middle * max(len(self.run.curve.days), 1))

    def _average(self, trades: Sequence[Trade]) -> float:
        return _ratio(float(sum(t.net for t in trades)), len(trades) * float(self.run.start_cash))


def runtime_texts(found: Summary) -> dict[str, str]:
    """`runtimeStatistics`."""
    run = found.run
    profit = run.equity - run.start_cash
    holdings = sum((abs(h.value) for h in run.holdings.values()), Decimal(0))
    return {
        "Equity": money(run.equity),
        "Fees": money(-run.fees),
        "Holdings": money(holdings),
        "Net Profit": money(profit - run.unrealized),
        "Probabilistic Sharpe Ratio": percent(found.risk.sharpe_probability),
        "Return": f"{profit / run.start_cash * 100:.2f} %",
        "Unrealized": money(run.unrealized),
        "Volume": money(run.volume),
    }


def texts(found: Summary) -> dict[str, str]:
    """`statistics`."""
    run, risk = found.run, found.risk
    return {
        "Total Orders": str(len(run.orders)),
        "Average Win": percent(found.average_win),
        "Average Loss": percent(found.average_loss),
        "Compounding Annual Return": percent(found.compound),
        "Drawdown": percent(float(run.curve.deepest)),
        "Expectancy": _figure(found.expectancy),
        "Start Equity": f"{run.start_cash:.2f}",
        "End Equity": f"{run.equity:.2f}",
        "Net Profit": percent(found.net_profit),
        "Sharpe Ratio": _figure(risk.sharpe),
        "Sortino Ratio": _figure(risk.sortino),
        "Probabilistic Sharpe Ratio": percent(risk.sharpe_probability),
        "Loss Rate": percent(1 - found.win_rate if run.ledger.closed else 0, 0),
        "Win Rate": percent(found.win_rate, 0),
        "Profit-Loss Ratio": f"{found.profit_loss:.2f}",
        "Alpha": _figure(risk.alpha),
        "Beta": _figure(risk.beta),
        "Annual Standard Deviation": _figure(risk.deviation),
        "Annual Variance": _figure(risk.deviation**2),
        "Information Ratio": _figure(risk.information),
        "Tracking Error": _figure(risk.tracking),
        "Treynor Ratio": _figure(risk.treynor),
        "Total Fees": money(run.fees),
        "Estimated Strategy Capacity": "$0",  # LEAN's word for a run that is too small to say
        "Lowest Capacity Asset": _thinnest(run),
        "Portfolio Turnover": percent(found.turnover, 2),
        "Drawdown Recovery": str(run.curve.recovery_days()),
    }


def performance(found: Summary) -> Json:
    """`totalPerformance`."""
    run, risk = found.run, found.risk
    portfolio = {
        "averageWinRate": found.average_win,
        "averageLossRate": found.average_loss,
        "profitLossRatio": found.profit_loss,
        "winRate": found.win_rate,
        "lossRate": 1 - found.win_rate if run.ledger.closed else 0,
        "expectancy": found.expectancy,
        "startEquity": number(run.start_cash),
        "endEquity": number(run.equity),
        "compoundingAnnualReturn": found.compound,
        "drawdown": number(run.curve.deepest),
        "totalNetProfit": found.net_profit,
        "sharpeRatio": risk.sharpe,
        "probabilisticSharpeRatio": risk.sharpe_probability,
        "sortinoRatio": risk.sortino,
        "alpha": risk.alpha,
        "beta": risk.beta,
        "annualStandardDeviation": risk.deviation,
        "annualVariance": risk.deviation**2,
        "informationRatio": risk.information,
        "trackingError": risk.tracking,
        "treynorRatio": risk.treynor,
        "portfolioTurnover": found.turnover,
        "valueAtRisk99": risk.value_at_risk_99,
        "valueAtRisk95": risk.value_at_risk_95,
    }
    return {
        "portfolioStatistics": portfolio,
        "tradeStatistics": _trade_statistics(found),
        "closedTrades": [trade.json() for trade in run.ledger.closed],
    }


def _trade_statistics(found: Summary) -> Json:
    trades, wins, losses = found.run.ledger.closed, found.wins, found.losses
    won = sum((t.net for t in wins), Decimal(0))
    lost = sum((t.net for t in losses), Decimal(0))
    held = sum((t.exit_at - t.entry_at for t in trades), timedelta())
    return {
        "startDateTime": engine_time(trades[0].entry_at) if trades else None,
        "endDateTime": engine_time(trades[-1].exit_at) if trades else None,
        "totalNumberOfTrades": len(trades),
        "numberOfWinningTrades": len(wins),
        "numberOfLosingTrades": len(losses),
        "totalProfitLoss": number(won + lost),
        "totalProfit": number(won),
        "totalLoss": number(lost),
        "winRate": found.win_rate,
        "profitFactor": _ratio(float(won), -float(lost)),
        "averageTradeDuration": duration(held / max(len(trades), 1)),
        "totalFees": number(sum((t.fees for t in trades), Decimal(0))),
    }


def _thinnest(run: Algorithm) -> str:
    traded = {o["symbol"]["value"] for o in run.orders}
    return symbol_id(min(traded, key=lambda s: run.holdings[s].turnover)) if traded else ""


def _ratio(above: float, below: float) -> float:
    found = above / below if below else 0.0
    return found if math.isfinite(found) and abs(found) < _MOST else 0.0


def _figure(value: float) -> str:
    return f"{round(value, 3):g}"
