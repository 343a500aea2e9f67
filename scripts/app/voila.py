"""How `make app` serves the panels: on this machine, to whoever has the link, a kernel each."""


def allow_shutdown(handler, notebook, cwd):
    """`notebook`; asking for the token sets its cookie, without which a page cannot end its kernel.

    A page that is closed sends the cookie back with its kernel's id, and the kernel ends.
    """
    _ = handler.xsrf_token
    return notebook


c = get_config()  # noqa: F821 (Voila hands it to this file)
c.Voila.ip = "127.0.0.1"
c.Voila.auto_token = True
c.VoilaConfiguration.template = "panels"
c.VoilaConfiguration.allow_template_override = "NO"
c.VoilaConfiguration.allow_theme_override = "NO"
c.VoilaConfiguration.file_allowlist = []
c.VoilaConfiguration.prelaunch_hook = allow_shutdown
# A kernel that died would come back without the panels; the page says instead that it is gone.
c.KernelRestarter.restart_limit = 0
# Seconds: kernels whose page went away without a word, such as with a crashed browser.
c.MappingKernelManager.cull_idle_timeout = 600
c.MappingKernelManager.cull_interval = 60
