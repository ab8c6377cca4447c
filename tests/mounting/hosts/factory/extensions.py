"""Made at import, bound to an app in its factory."""

from flask_login import LoginManager
from flask_smorest import Api
from flask_wtf import CSRFProtect

from bridge import Bridge

api = Api()
bridge = Bridge()
csrf = CSRFProtect()
login = LoginManager()
