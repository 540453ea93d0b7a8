import { useEffect } from 'preact/hooks';
import { wantedPath } from '../frame/app';
import { OfflineBanner } from '../frame/offline';
import { ThemeMenu } from '../frame/frame';
import { kBase, navigate } from '../frame/router';
import { useResource } from '../frame/resource';
import { SignInForm } from './sign_in_form';
import { session } from '../data/session';
import { t } from '../text';

interface Provider { enabled: boolean; name: string | null; sign_in: string | null }

export default function SignIn() {
  const provider = useResource<Provider>('/v1/oidc').data;
  const leave = () => navigate(wantedPath(), 'replace');
  useEffect(() => { if (session.value) leave(); }, []);
  return (
    <main class="door stack wide">
      <OfflineBanner />
      <div class="line apart"><span class="brand">{t.product}</span><ThemeMenu /></div>
      <h1 tabIndex={-1}>{t.session.signInTitle}</h1>
      {provider?.enabled && provider.sign_in && (
        <>
          <a class="button primary" href={`${provider.sign_in}?return_to=${encodeURIComponent(kBase + wantedPath())}`}>
            {t.session.with(provider.name ?? '')}
          </a>
          <div class="or">{t.session.or}</div>
        </>
      )}
      <SignInForm onDone={leave} />
    </main>
  );
}
