"""Every page and tab, by the name its screenshots have. Whoever adds one adds it here."""

PAGES: dict[str, str] = {
    "overview": "/",
    "quantconnect": "/quantconnect",
    "quantconnect-signals": "/quantconnect/signals",
    "quantconnect-backtests": "/quantconnect/backtests",
    "quantconnect-algorithms": "/quantconnect/algorithms",
    "quantconnect-configuration": "/quantconnect/configuration",
    "quantconnect-account": "/quantconnect/configuration?edit=demo",
    "ai-trading": "/ai-trading",
    "ai-trading-configuration": "/ai-trading/configuration",
    "ai-trading-config": "/ai-trading/configuration?config=demo-openai",
    "ai-trading-prompts": "/ai-trading/prompts",
    "ai-trading-decisions": "/ai-trading/decisions",
    "ai-trading-costs": "/ai-trading/costs",
    "ai-trading-test": "/ai-trading/test",
    "activity": "/activity",
    "activity-verdicts": "/activity/verdicts",
    "activity-orders": "/activity/orders",
    "activity-trades": "/activity/trades",
    "activity-positions": "/activity/positions",
    "activity-alerts": "/activity/alerts",
    "settings": "/settings",
    "settings-bot": "/settings?bot=demo",
    "settings-strategies": "/settings/strategies",
    "settings-accounts": "/settings/accounts",
    "settings-sources": "/settings/sources",
    "settings-limits": "/settings/limits",
    "settings-tokens": "/settings/tokens",
    "settings-alerts": "/settings/alerts",
    "settings-appearance": "/settings/appearance",
    "settings-about": "/settings/about",
}

# Ask the gateway for nothing of their own, so they have nothing to wait for.
STILL = {"settings-alerts", "settings-appearance", "settings-about"}
