"""CollectJob → Scrapy's settings: polite, bounded, and nothing that listens on a port."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from spiders.events import CollectJob

AGENT = "koc-listener/0.1"
MAX_BYTES = 16 * 1024 * 1024


def user_agent_of(job: CollectJob) -> str:
    """Who we say we are: a program, and how to reach its owner.

    >>> user_agent_of(CollectJob("feed", contact="mailto:pr@brand.example"))
    'koc-listener/0.1 (+mailto:pr@brand.example)'
    """
    if job.user_agent:
        return job.user_agent
    return f"{AGENT} (+{job.contact})" if job.contact else AGENT


def _host_of(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def settings_of(job: CollectJob) -> dict[str, Any]:
    """Scrapy's settings for a job."""
    return {
        "BOT_NAME": "koc-listener",
        "USER_AGENT": user_agent_of(job),
        # as a guest of the site
        "ROBOTSTXT_OBEY": True,
        "ROBOTSTXT_USER_AGENT": "koc-listener",
        "CONCURRENT_REQUESTS": 16,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "DOWNLOAD_DELAY": job.delay_seconds,
        "AUTOTHROTTLE_ENABLED": True,
        "AUTOTHROTTLE_START_DELAY": job.delay_seconds,
        "AUTOTHROTTLE_MAX_DELAY": max(60.0, job.delay_seconds),
        "COOKIES_ENABLED": False,
        "REFERRER_POLICY": "no-referrer",
        "DEFAULT_REQUEST_HEADERS": {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"},
        # nothing without a bound
        "DOWNLOAD_MAXSIZE": MAX_BYTES,
        "DOWNLOAD_WARNSIZE": MAX_BYTES // 2,
        "DOWNLOAD_TIMEOUT": job.timeout_seconds,
        "DNS_TIMEOUT": min(20.0, job.timeout_seconds),
        "REDIRECT_MAX_TIMES": 5,
        "METAREFRESH_ENABLED": False,
        "RETRY_TIMES": job.retries,
        "RETRY_GIVE_UP_LOG_LEVEL": "WARNING",
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "JOB_PROXY": job.proxy,
        "JOB_HOSTS": sorted(filter(None, map(_host_of, (job.base_url, *job.urls, *job.posts, *job.own_urls)))),
        "JOB_LOOKS": sorted(filter(None, map(_host_of, job.looks))),
        "DOWNLOAD_HANDLERS": {"data": None, "file": None, "ftp": None, "s3": None},
        # no door into this process
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "DOWNLOADER_MIDDLEWARES": {
            "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
            "spiders.middlewares.Robots": 100,
            "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
            "spiders.middlewares.Retries": 550,
            "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
            "spiders.middlewares.Guard": 60,
            "spiders.middlewares.Proxies": 740,  # before Scrapy's own, which reads it
            "spiders.middlewares.Turns": 950,  # the last before the wire
        },
        "EXTENSIONS": {
            "scrapy.extensions.telnet.TelnetConsole": None,
            "scrapy.extensions.remote_control.RemoteControl": None,
            "scrapy.extensions.feedexport.FeedExporter": None,
            "scrapy.extensions.spiderstate.SpiderState": None,
            "scrapy.extensions.memusage.MemoryUsage": None,
            "scrapy.extensions.logstats.LogStats": None,
        },
        "ITEM_PIPELINES": {"spiders.child.ToParent": 900},
        "LOG_ENABLED": False,  # the child sets up logging itself
        "LOG_INSTALL_ROOT_HANDLER": False,
        "STATS_DUMP": False,
    }
